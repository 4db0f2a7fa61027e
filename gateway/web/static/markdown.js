/** Markdown made safe: text becomes DOM nodes of known kinds, never HTML. */
const SAFE = /^(https?:|mailto:)/i;
const INLINE = /(`[^`]+`)|(\*\*[^*]+\*\*)|(__[^_]+__)|(\*[^*\s][^*]*\*)|(_[^_\s][^_]*_)|(~~[^~]+~~)|(!?\[[^\]]*\]\([^)\s]+\))|(https?:\/\/[^\s<>"')]+)/;

/** @param {string} tag @param {string} [text] */
export function make(tag, text) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A link that leads only to the web or to mail, and tells the other side nothing. */
function link(label, target) {
  if (!SAFE.test(target)) return document.createTextNode(label);
  const node = make("a", label);
  node.href = target;
  node.target = "_blank";
  node.rel = "noopener noreferrer nofollow";
  return node;
}

/** One run of marked text. Images become links: nothing is fetched because a message says so. */
function marked(text) {
  const wrap = (tag, inner) => { const node = make(tag); inline(node, inner); return node; };
  if (text.startsWith("`")) return make("code", text.slice(1, -1));
  if (text.startsWith("**") || text.startsWith("__")) return wrap("strong", text.slice(2, -2));
  if (text.startsWith("~~")) return wrap("del", text.slice(2, -2));
  if (text.startsWith("*") || text.startsWith("_")) return wrap("em", text.slice(1, -1));
  const found = /^!?\[([^\]]*)\]\(([^)\s]+)\)$/.exec(text);
  return found ? link(found[1] || found[2], found[2]) : link(text, text);
}

/** @param {Node} parent @param {string} text */
function inline(parent, text) {
  let rest = text;
  while (rest) {
    const found = INLINE.exec(rest);
    if (!found) break;
    if (found.index) parent.append(rest.slice(0, found.index));
    parent.append(marked(found[0]));
    rest = rest.slice(found.index + found[0].length);
  }
  if (rest) parent.append(rest);
}

function table(lines) {
  const cells = (line) => line.replace(/^\s*\||\|\s*$/g, "").split("|").map((cell) => cell.trim());
  const node = make("table");
  const row = (line, tag) => {
    const made = make("tr");
    for (const cell of cells(line)) { const part = make(tag); inline(part, cell); made.append(part); }
    return made;
  };
  node.append(row(lines[0], "th"), ...lines.slice(2).map((line) => row(line, "td")));
  const frame = make("div");
  frame.className = "table";
  frame.append(node);
  return frame;
}

function list(lines) {
  const ordered = /^\s*\d+[.)]/.test(lines[0]);
  const node = make(ordered ? "ol" : "ul");
  for (const line of lines) { const item = make("li"); inline(item, line.replace(/^\s*([-*+]|\d+[.)])\s+/, "")); node.append(item); }
  return node;
}

function paragraph(lines) {
  const node = make("p");
  lines.forEach((line, index) => { if (index) node.append(make("br")); inline(node, line); });
  return node;
}

const isList = (line) => /^\s*([-*+]|\d+[.)])\s+/.test(line);
const isTable = (lines, at) => lines[at].includes("|") && /^\s*\|?\s*:?-{2,}/.test(lines[at + 1] || "");
const isBreak = (line) => !line.trim() || /^#{1,6}\s|^>|^```/.test(line) || isList(line);

/** Takes lines from `at` while `test` holds. */
function take(lines, at, test) {
  let end = at;
  while (end < lines.length && test(lines[end])) end += 1;
  return lines.slice(at, end);
}

/** The nodes of a text. @param {string} text @returns {DocumentFragment} */
export function render(text) {
  const made = document.createDocumentFragment();
  const lines = text.replace(/\r/g, "").split("\n");
  for (let at = 0; at < lines.length;) {
    const line = lines[at];
    if (!line.trim()) { at += 1; continue; }
    if (line.startsWith("```")) {
      const body = take(lines, at + 1, (next) => !next.startsWith("```"));
      const frame = make("pre");
      frame.append(make("code", body.join("\n")));
      made.append(frame);
      at += body.length + 2;
    } else if (/^#{1,6}\s/.test(line)) {
      const head = make(`h${Math.min(6, line.match(/^#+/)[0].length + 2)}`);
      inline(head, line.replace(/^#+\s+/, ""));
      made.append(head);
      at += 1;
    } else if (line.startsWith(">")) {
      const body = take(lines, at, (next) => next.startsWith(">"));
      const quote = make("blockquote");
      quote.append(render(body.map((next) => next.replace(/^>\s?/, "")).join("\n")));
      made.append(quote);
      at += body.length;
    } else if (isTable(lines, at)) {
      const body = take(lines, at, (next) => next.includes("|"));
      made.append(table(body));
      at += body.length;
    } else if (isList(line)) {
      const body = take(lines, at, isList);
      made.append(list(body));
      at += body.length;
    } else {
      const body = [line, ...take(lines, at + 1, (next) => !isBreak(next))];
      made.append(paragraph(body));
      at += body.length;
    }
  }
  return made;
}
