// Every element with a text of its own: its words and the ratio of its colour to what is behind it. Colours are read
// by painting them, so that any notation of CSS is understood.
const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
const rgba = (color) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
};
const over = (front, back) => [0, 1, 2].map((at) => front[at] * front[3] + back[at] * (1 - front[3])).concat(1);
const parent = (node) => node.assignedSlot || node.parentElement || (node.getRootNode().host ?? null);
const behind = (node) => {
  const layers = [];
  for (let at = node; at; at = parent(at)) layers.push(rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((back, front) => over(front, back), [255, 255, 255, 1]);
};
const seen = (node) => { let part = 1; for (let at = node; at; at = parent(at)) part *= getComputedStyle(at).opacity; return part; };
const light = (color) => {
  const [r, g, b] = color.slice(0, 3).map((one) => { const part = one / 255; return part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4; });
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (one, other) => { const [low, high] = [light(one), light(other)].sort((a, b) => a - b); return (high + .05) / (low + .05); };
const shown = (node) => node.checkVisibility() && !node.closest('.quiet, [disabled], option');
const own = (node) => [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
const place = root ? [...root.querySelectorAll('*'), ...document.body.querySelectorAll('*')] : [...document.body.querySelectorAll('*')];
const told = place.filter((node) => shown(node) && seen(node) > 0).flatMap((node) => {
  const ground = behind(node), style = getComputedStyle(node), found = [];
  const add = (words, color) => { const front = rgba(color); front[3] *= seen(node); found.push([words, ratio(over(front, ground), ground)]); };
  if (own(node)) add(node.textContent.trim().slice(0, 40), style.color);
  if (node.placeholder && !node.value) add(node.placeholder, getComputedStyle(node, '::placeholder').color);
  return found;
});
return told;
