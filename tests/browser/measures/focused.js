// What has the focus, and whether its outline is seen.
let at = document.activeElement;
while (at && at.shadowRoot && at.shadowRoot.activeElement) at = at.shadowRoot.activeElement;
const shown = at.matches('select') && getComputedStyle(at).opacity === '0' ? at.parentElement : at, style = getComputedStyle(shown);
return [at.dataset.testid || at.className || at.textContent, style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2];
