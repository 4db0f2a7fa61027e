// What sticks out of the page or of the log; frames that scroll by themselves may hold what is wide.
const width = document.documentElement.clientWidth, wrong = [];
if (document.documentElement.scrollWidth > width) wrong.push(`page ${document.documentElement.scrollWidth} > ${width}`);
const place = root ? [...root.querySelectorAll('*')] : [...document.body.querySelectorAll('*')];
for (const node of place) {
  if (!node.checkVisibility() || node.closest('.quiet, .wide *, pre *, svg *, option')) continue;
  const box = node.getBoundingClientRect();
  if (box.left < -1 || box.right > width + 1) wrong.push(`${node.localName}.${node.className} ${box.left} to ${box.right}`);
}
const log = root && root.querySelector('.log');
if (log && log.scrollWidth > log.clientWidth) wrong.push(`log ${log.scrollWidth} > ${log.clientWidth}`);
return wrong;
