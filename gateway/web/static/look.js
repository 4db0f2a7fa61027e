/** How the chat looks. Colours are custom properties, so that a page that embeds it can set its own. */
const LOOK = `
:host { --accent: light-dark(#2f6f5e, #6cc4aa); --on-accent: light-dark(#fff, #0c1512); --surface: light-dark(#fff, #1a211e);
  --ground: light-dark(#f6f8f6, #101513); --text: light-dark(#1a211e, #e6ece8); --muted: light-dark(#5a6761, #9caaa3);
  --line: light-dark(#dde4df, #2c3732); --edge: light-dark(#87938d, #6d7a74); --mine: light-dark(#dff0e9, #1f3b32); --error: light-dark(#a3261f, #ff9a91);
  display: block; height: 32rem; min-height: 320px; color: var(--text); background: var(--ground); container-type: inline-size;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color-scheme: light dark; box-sizing: border-box; }
:host([hidden]) { display: none; }
:host([theme=light]) { color-scheme: light; } :host([theme=dark]) { color-scheme: dark; }
* { box-sizing: border-box; } [hidden] { display: none !important; }
.frame { height: 100%; min-height: inherit; display: grid; grid-template-rows: auto minmax(0, 1fr) auto; grid-template-columns: minmax(0, 1fr); background: var(--ground); color: var(--text); }
header { display: flex; align-items: center; gap: .6rem; padding: .7rem 1rem; background: var(--surface); border-bottom: 1px solid var(--line); }
.face { width: 38px; height: 38px; border-radius: 12px; background: var(--accent); color: var(--on-accent); display: grid; place-items: center; font-weight: 700; flex: none; }
.who { flex: 1; min-width: 0; } h2 { font-size: 1rem; line-height: 1.4; margin: 0; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.state { font-size: .82rem; line-height: 1.3; color: var(--muted); display: flex; align-items: center; gap: .35rem; }
.state i { width: 8px; height: 8px; border-radius: 50%; background: #c78a1b; flex: none; } .state.online i { background: #2c9b6b; }
.state span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button, select { font: inherit; color: inherit; }
select { border: 1px solid var(--edge); background: transparent; border-radius: 10px; height: 36px; padding: 0 .3rem; max-width: 7.5rem; cursor: pointer; }
.chooser { position: relative; display: grid; place-items: center; flex: none; border-radius: 10px; } .chooser svg { display: none; position: absolute; pointer-events: none; }
option { color: #1a211e; background: #fff; }
.tool { border: 0; background: transparent; border-radius: 10px; width: 44px; height: 44px; cursor: pointer; display: grid; place-items: center; flex: none; }
.tool:hover { background: color-mix(in srgb, var(--accent) 12%, transparent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.holder { position: relative; min-height: 0; }
.log { height: 100%; overflow-y: auto; overflow-x: hidden; padding: 1rem; display: flex; flex-direction: column; gap: .35rem; overscroll-behavior: contain; }
.log:focus-visible { outline-offset: -3px; }
.tool[data-testid=latest] { position: absolute; right: 1rem; bottom: .7rem; background: var(--surface); border: 1px solid var(--edge); border-radius: 50%; box-shadow: 0 2px 8px rgb(0 0 0 / .18); }
.day { align-self: center; font-size: .78rem; color: var(--muted); margin: .5rem 0; }
.line { position: relative; display: flex; flex-direction: column; max-width: min(85%, 34rem); align-self: flex-start; flex: none; }
.line.user { align-self: flex-end; align-items: flex-end; }
.bubble { background: var(--surface); border: 1px solid var(--line); border-radius: 16px 16px 16px 5px; padding: .55rem .85rem; overflow-wrap: anywhere; max-width: 100%; min-width: 0; }
.user .bubble { background: var(--mine); border-color: transparent; border-radius: 16px 16px 5px 16px; }
.user .text { white-space: pre-wrap; }
.system .bubble { background: transparent; border-style: dashed; border-color: var(--edge); color: var(--muted); }
.pending .bubble { border: 1px dashed var(--edge); } .refused .bubble { border: 1px solid var(--error); } .refused .under { color: var(--error); }
.pending .under { animation: appear .2s .7s both; }
.text > :first-child { margin-top: 0; } .text > :last-child { margin-bottom: 0; }
.text p, .text ul, .text ol, .text blockquote, .wide { margin: .45rem 0; } .text ul, .text ol { padding-inline-start: 1.5rem; } li > ul, li > ol { margin: 0 !important; }
.text h3, .text h4, .text h5, .text h6 { margin: .6rem 0 .3rem; font-size: 1rem; } .text h3 { font-size: 1.1rem; }
.text hr { border: 0; border-top: 1px solid var(--edge); margin: .7rem 0; min-width: 8rem; }
.bubble a { color: var(--accent); } blockquote { border-inline-start: 3px solid var(--edge); padding-inline-start: .7rem; margin: .45rem 0; color: var(--muted); }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; background: color-mix(in srgb, var(--muted) 14%, transparent); border-radius: 5px; padding: 0 .25em; unicode-bidi: isolate; }
.wide { overflow-x: auto; } pre.wide { border-radius: 10px; background: color-mix(in srgb, var(--muted) 12%, transparent); padding: .6rem .8rem; } pre code { background: none; padding: 0; overflow-wrap: normal; }
li, th, td { unicode-bidi: plaintext; } table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .25rem .55rem; text-align: start; overflow-wrap: normal; }
.under { font-size: .75rem; color: var(--muted); padding: .1rem .3rem .25rem; } .under:empty { padding: 0; } .joined .under { display: none; }
.copy { position: absolute; left: calc(100% + 2px); top: 2px; width: 36px; height: 36px; border: 0; background: none; border-radius: 10px; cursor: pointer; color: var(--muted); display: grid; place-items: center; opacity: 0; }
.line:hover .copy, .copy:focus-visible { opacity: 1; } .copy:hover { background: color-mix(in srgb, var(--accent) 12%, transparent); } .copy svg { width: 18px; height: 18px; }
@media (hover: none) { .copy { opacity: 1; } }
details { margin-top: .35rem; font-size: .86rem; } summary { cursor: pointer; color: var(--muted); padding: .2rem 0; } details blockquote { margin: .3rem 0; }
.attachments { list-style: none; padding: 0; margin: .3rem 0 .1rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: .3rem; }
.attachments button { display: flex; gap: .45rem; align-items: center; max-width: 100%; min-height: 40px; border: 1px solid var(--edge); background: var(--surface); border-radius: 12px; padding: .25rem .7rem; cursor: pointer; text-align: left; }
.attachments button:hover { border-color: var(--accent); } .attachments svg { flex: none; width: 18px; height: 18px; }
.name { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; } .size { color: var(--muted); font-size: .82rem; white-space: nowrap; }
.chips { display: flex; flex-wrap: wrap; gap: .45rem; padding: .3rem 0; } .chips:empty { display: none; }
.chips button { border: 1px solid var(--accent); color: var(--accent); background: transparent; border-radius: 1.3rem; padding: .35rem .95rem; cursor: pointer; min-height: 40px; max-width: 100%; overflow-wrap: anywhere; text-align: left; }
.chips button:hover { background: color-mix(in srgb, var(--accent) 12%, transparent); }
.typing { display: flex; gap: 4px; align-items: center; padding: .7rem .9rem; align-self: flex-start; }
.typing i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: beat 1.2s infinite; } .typing i:nth-child(2) { animation-delay: .15s; } .typing i:nth-child(3) { animation-delay: .3s; }
@keyframes beat { 0%, 60%, 100% { opacity: .25; transform: none; } 30% { opacity: 1; transform: translateY(-3px); } }
@keyframes appear { from { opacity: 0; } }
@media (prefers-reduced-motion: reduce) { * { animation: none !important; } }
footer { background: var(--surface); border-top: 1px solid var(--line); padding: .6rem .8rem calc(.6rem + env(safe-area-inset-bottom)); }
form { display: flex; gap: .5rem; align-items: flex-end; }
textarea { flex: 1; min-width: 0; resize: none; border: 1px solid var(--edge); background: var(--ground); color: inherit; font: inherit; border-radius: 14px; padding: .55rem .85rem; max-height: 9rem; min-height: 44px; overflow-y: hidden; }
textarea::placeholder { color: var(--muted); opacity: 1; } textarea:focus-visible { outline-offset: -1px; border-color: var(--accent); }
.send { border: 0; background: var(--accent); color: var(--on-accent); border-radius: 14px; width: 48px; height: 44px; flex: none; cursor: pointer; display: grid; place-items: center; }
.send:disabled { opacity: .45; cursor: default; }
.files { list-style: none; display: flex; flex-wrap: wrap; gap: .4rem; margin: 0; padding: 0 0 .5rem; } .files:empty { display: none; }
.files li { display: flex; align-items: center; gap: .45rem; max-width: 100%; font-size: .86rem; border: 1px solid var(--edge); border-radius: 12px; padding-left: .7rem; }
.files li.failed { border-color: var(--error); } .progress { color: var(--muted); white-space: nowrap; }
.files button { border: 0; background: none; border-radius: 10px; min-width: 36px; height: 36px; cursor: pointer; } .files .progress button { color: var(--accent); text-decoration: underline; padding: 0; }
.notice { color: var(--error); font-size: .86rem; padding: .1rem .2rem .5rem; overflow-wrap: anywhere; white-space: pre-line; } .notice:empty { display: none; }
.again { width: 100%; min-height: 44px; border: 0; border-radius: 14px; background: var(--accent); color: var(--on-accent); font-weight: 600; cursor: pointer; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (forced-colors: active) { .face, .send, .again, pre.wide, :not(pre) > code { border: 1px solid; } .state i, .typing i { forced-color-adjust: none; background: CanvasText; } .state:not(.online) i { background: none; border: 2px solid CanvasText; }
  .send:disabled { color: GrayText; border-color: GrayText; opacity: 1; } }
@container (max-width: 480px) { header { padding: .6rem .5rem .6rem .7rem; gap: .35rem; } header .tool { width: 40px; } .chooser svg { display: block; } select { width: 40px; height: 44px; opacity: 0; } .chooser:focus-within { outline: 2px solid var(--accent); outline-offset: -2px; } .log { padding: .8rem .7rem; } footer { padding-inline: .5rem; } form { gap: .35rem; } }
@container (max-width: 350px) { .face { display: none; } }
`;

export const SHEET = new CSSStyleSheet();
SHEET.replaceSync(LOOK);

const PATHS = {
  send: "M4 12l16-8-6 16-3-6z", stop: "M7 7h10v10H7z", attach: "M20 11.5l-8.2 8.2a5 5 0 0 1-7.1-7.1l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8l-8.5 8.5a1.7 1.7 0 0 1-2.4-2.4l7.8-7.8",
  fresh: "M12 5v14M5 12h14", theme: "M12 4a8 8 0 1 0 8 8 6 6 0 0 1-8-8z", latest: "M6 9l6 6 6-6", copy: "M9 9h10v11H9zM5 15V4h10",
  done: "M5 13l4 4L19 7", file: "M6 3h8l4 4v14H6zM14 3v4h4",
  language: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18M3 12h18M12 3c5 5 5 13 0 18M12 3c-5 5-5 13 0 18",
};
const FILLED = ["send", "stop"];

/** A drawn sign. @param {keyof typeof PATHS} name */
export function sign(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const ink = FILLED.includes(name) ? { fill: "currentColor", stroke: "none" } : { fill: "none", stroke: "currentColor" };
  const shape = { viewBox: "0 0 24 24", width: 22, height: 22, "aria-hidden": "true", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [key, value] of Object.entries({ ...ink, ...shape })) drawing.setAttribute(key, String(value));
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
