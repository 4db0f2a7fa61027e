/** How the chat looks. Colours are custom properties, so that a page that embeds it can set its own. */
export const LOOK = `
:host { --accent: light-dark(#2f6f5e, #6cc4aa); --on-accent: light-dark(#fff, #0c1512); --surface: light-dark(#fff, #151b18);
  --ground: light-dark(#f6f8f6, #101513); --text: light-dark(#1a211e, #e6ece8); --muted: light-dark(#5a6761, #9caaa3);
  --line: light-dark(#dde4df, #28322d); --mine: light-dark(#dff0e9, #1f3b32); --error: light-dark(#a3261f, #ff9a91);
  display: grid; grid-template-rows: auto minmax(0, 1fr) auto; grid-template-columns: minmax(0, 1fr); min-height: 320px; color: var(--text); background: var(--ground);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color-scheme: light dark; box-sizing: border-box; }
:host([theme=light]) { color-scheme: light; } :host([theme=dark]) { color-scheme: dark; }
* { box-sizing: border-box; } [hidden] { display: none !important; }
header { display: flex; align-items: center; gap: .6rem; padding: .7rem 1rem; background: var(--surface); border-bottom: 1px solid var(--line); }
.face { width: 38px; height: 38px; border-radius: 12px; background: var(--accent); color: var(--on-accent); display: grid;
  place-items: center; font-weight: 700; flex: none; }
.who { flex: 1; min-width: 0; } .who strong { display: block; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.state { font-size: .82rem; color: var(--muted); display: flex; align-items: center; gap: .35rem; }
.state i { width: 8px; height: 8px; border-radius: 50%; background: #c78a1b; flex: none; } .state.online i { background: #2c9b6b; }
.state span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
button, select { font: inherit; color: inherit; }
.tool { border: 0; background: transparent; border-radius: 10px; width: 40px; height: 40px; cursor: pointer; display: grid; place-items: center; }
.tool:hover { background: color-mix(in srgb, var(--accent) 12%, transparent); }
@media (max-width: 480px) { select { max-width: 4.6rem; } header { padding: .6rem .7rem; gap: .35rem; } }
select { border: 1px solid var(--line); background: transparent; border-radius: 10px; height: 36px; padding: 0 .3rem; max-width: 7rem; }
option { color: #1a211e; background: #fff; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main { overflow-y: auto; padding: 1rem; display: flex; flex-direction: column; gap: .35rem; overscroll-behavior: contain; }
.day { align-self: center; font-size: .78rem; color: var(--muted); margin: .5rem 0; }
.line { display: flex; flex-direction: column; max-width: min(85%, 34rem); align-self: flex-start; }
.line.user { align-self: flex-end; align-items: flex-end; }
.bubble { background: var(--surface); border: 1px solid var(--line); border-radius: 16px 16px 16px 5px; padding: .55rem .85rem; overflow-wrap: anywhere; }
.user .bubble { background: var(--mine); border-color: transparent; border-radius: 16px 16px 5px 16px; }
.system .bubble { background: transparent; border-style: dashed; color: var(--muted); }
.pending .bubble { opacity: .65; }
.bubble > .quiet + * { margin-top: 0; } .bubble > :last-child { margin-bottom: 0; }
.bubble p, .bubble ul, .bubble ol, .bubble blockquote, .bubble pre { margin: .45rem 0; } .bubble ul, .bubble ol { padding-left: 1.3rem; }
.bubble h3, .bubble h4, .bubble h5, .bubble h6 { margin: .6rem 0 .3rem; font-size: 1rem; }
.bubble a { color: var(--accent); } .bubble blockquote { border-left: 3px solid var(--line); padding-left: .7rem; color: var(--muted); }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .9em; background: color-mix(in srgb, var(--muted) 14%, transparent); border-radius: 5px; padding: 0 .25em; }
pre { overflow-x: auto; background: color-mix(in srgb, var(--muted) 12%, transparent); border-radius: 10px; padding: .6rem .8rem; } pre code { background: none; padding: 0; }
.table { overflow-x: auto; } table { border-collapse: collapse; } th, td { border: 1px solid var(--line); padding: .25rem .55rem; text-align: left; }
.under { display: flex; gap: .5rem; align-items: center; font-size: .75rem; color: var(--muted); padding: .1rem .3rem 0; min-height: .35rem; }
.under button { border: 0; background: none; padding: .1rem .3rem; cursor: pointer; color: var(--muted); opacity: 0; border-radius: 6px; }
.line:hover .under button, .under button:focus-visible { opacity: 1; }
details { margin-top: .35rem; font-size: .86rem; } summary { cursor: pointer; color: var(--muted); } details blockquote { margin: .3rem 0; }
.chips { display: flex; flex-wrap: wrap; gap: .45rem; padding: .3rem 0; }
.chips button { border: 1px solid var(--accent); color: var(--accent); background: transparent; border-radius: 999px; padding: .35rem .85rem; cursor: pointer; min-height: 36px; }
.chips button:hover { background: color-mix(in srgb, var(--accent) 12%, transparent); }
.typing { display: flex; gap: 4px; align-items: center; padding: .7rem .9rem; }
.typing i { width: 7px; height: 7px; border-radius: 50%; background: var(--muted); animation: beat 1.2s infinite; } .typing i:nth-child(2) { animation-delay: .15s; } .typing i:nth-child(3) { animation-delay: .3s; }
@keyframes beat { 0%, 60%, 100% { opacity: .25; transform: none; } 30% { opacity: 1; transform: translateY(-3px); } }
@media (prefers-reduced-motion: reduce) { .typing i { animation: none; opacity: .6; } }
footer { background: var(--surface); border-top: 1px solid var(--line); padding: .6rem .8rem calc(.6rem + env(safe-area-inset-bottom)); }
form { display: flex; gap: .45rem; align-items: flex-end; }
textarea { flex: 1; min-width: 0; resize: none; border: 1px solid var(--line); background: var(--ground); color: inherit; font: inherit; border-radius: 14px; padding: .6rem .85rem; max-height: 9rem; min-height: 44px; }
.send { border: 0; background: var(--accent); color: var(--on-accent); border-radius: 14px; min-width: 48px; height: 44px; cursor: pointer; display: grid; place-items: center; }
.send:disabled { opacity: .45; cursor: default; }
.files { display: flex; flex-wrap: wrap; gap: .4rem; } .files span { font-size: .85rem; border: 1px solid var(--line); border-radius: 10px; padding: .2rem .5rem; margin-bottom: .4rem; }
.notice { color: var(--error); font-size: .86rem; padding: .1rem .2rem .4rem; } .notice:empty { display: none; }
.quiet { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

const PATHS = {
  send: "M4 12l16-8-6 16-3-6z", stop: "M7 7h10v10H7z", attach: "M8 12l6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l8-8",
  fresh: "M12 5v14M5 12h14", theme: "M12 4a8 8 0 1 0 8 8 6 6 0 0 1-8-8z",
};

/** A drawn sign. @param {keyof typeof PATHS} name */
export function sign(name) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  const filled = name === "send" || name === "stop";
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: 22, height: 22, "aria-hidden": "true",
    fill: filled ? "currentColor" : "none", stroke: filled ? "none" : "currentColor", "stroke-width": 2, "stroke-linecap": "round", "stroke-linejoin": "round" })) {
    drawing.setAttribute(key, String(value));
  }
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
