// What is hard to hit with a finger: below 24 pixels.
return [...root.querySelectorAll('button, select, textarea, summary')].filter((node) => node.checkVisibility()).flatMap((node) => {
  const box = node.getBoundingClientRect();
  return box.width < 24 || box.height < 24 ? [`${node.localName} ${node.textContent} ${box.width} x ${box.height}`] : [];
});
