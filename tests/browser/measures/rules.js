// What a checker of accessibility would complain about, beside names and contrast: everything in the page and in the chat.
const wrong = [];
const places = root ? [document, root] : [document];
const all = places.flatMap((place) => [...place.querySelectorAll('*')]);
const tell = (node, words) => wrong.push(`${node.localName}.${node.getAttribute('class') || ''}: ${words}`);
const reached = 'a[href], button, input, select, textarea, summary, [tabindex]';
if (!/^[a-z]{2}(-[A-Z]{2})?$/.test(document.documentElement.lang)) wrong.push('the page has no language');
if (!document.title.trim()) wrong.push('the page has no title');
for (const place of places) {
  const ids = [...place.querySelectorAll('[id]')].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) wrong.push(`twice the id ${id}`);
}
for (const node of all) {
  if (node.tabIndex > 0) tell(node, 'its place in the order of the keyboard is forced');
  if (node.matches('[aria-hidden=true]') && (node.matches(reached) || node.querySelector(reached))) tell(node, 'hidden, and yet reached by keyboard');
  if (node.matches('[role=button], [onclick]') && !node.matches(reached)) tell(node, 'not reached by keyboard');
  if (node.localName === 'svg' && node.getAttribute('aria-hidden') !== 'true') tell(node, 'a picture without words');
  if (node.matches('button') && !node.hasAttribute('type')) tell(node, 'sends a form by accident');
  if (node.matches('input, select, textarea') && node.type !== 'file' && !node.labels.length && !node.hasAttribute('aria-label')) tell(node, 'no label');
  for (const name of ['aria-labelledby', 'aria-describedby', 'aria-controls'])
    for (const id of (node.getAttribute(name) || '').split(' ').filter(Boolean)) if (!node.getRootNode().getElementById(id)) tell(node, `${name} leads nowhere`);
  if (node.matches('[tabindex="0"]') && !(node.getAttribute('role') && node.getAttribute('aria-label'))) tell(node, 'the keyboard stops at something without a name');
  if (node.matches('ul, ol') && [...node.children].some((child) => child.localName !== 'li')) tell(node, 'a list of other things');
}
const heads = all.filter((node) => /^h[1-6]$/.test(node.localName) && node.checkVisibility()).map((node) => Number(node.localName[1]));
if (!root) heads.forEach((level, at) => { if (level > (at ? heads[at - 1] : 0) + 1) wrong.push(`a heading of level ${level} after ${heads[at - 1] || 'none'}`); });
if (root) {
  const spoken = (selector, live) => [...root.querySelectorAll(selector)].filter((node) => !live || node.getAttribute('aria-live') === live).length;
  if (spoken('[role=log]', 'polite') !== 1) wrong.push('expected one log that is read politely');
  if (spoken('[role=status]') !== 1) wrong.push('expected one status');
  if (spoken('[role=alert]') !== 1) wrong.push('expected one place of alerts');
  if (spoken('[aria-live=assertive]')) wrong.push('something interrupts');
}
return wrong;
