/** Markdown made safe: text becomes DOM nodes of known kinds, never HTML. Nothing is fetched because a message says so. */
const SAFE = /^(https?:|mailto:)/i;
const DEEPEST = 6;
// Every repetition that could be begun again at each place has a bound, so that no text takes long.
const INLINE = new RegExp([
  String.raw`\\[\\${"`"}*_{}\[\]()#+.!|~>-]`,
  "`[^`]+`",
  String.raw`\*\*(?=\S)(?:[^*]|\*(?!\*)){1,4000}\*\*`,
  String.raw`(?<!\w)__[^_]{1,4000}__(?!\w)`,
  String.raw`\*[^*\s][^*]{0,4000}\*`,
  String.raw`(?<!\w)_[^_\s][^_]{0,4000}_(?!\w)`,
  String.raw`~~[^~]{1,4000}~~`,
  String.raw`!?\[[^\]]{0,500}\]\([^)\s]{1,2000}\)`,
  String.raw`https?:\/\/[^\s<>"')]{0,2000}[^\s<>"').,;:!?*_]`,
].map((part) => `(?:${part})`).join("|"), "g");
const MARKER = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const RULE = /^\s*([-*_])(\s*\1){2,}\s*$/;

/** @param {string} tag @param {string} [text] */
export function make(tag, text) {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  return node;
}

/** A block that runs in the direction of its own words. */
function written(tag) {
  const node = make(tag);
  node.dir = "auto";
  return node;
}

/** A link that leads only to the web or to mail, and tells the other side nothing. */
export function link(label, target) {
  if (!SAFE.test(target)) return document.createTextNode(label);
  const node = make("a", label);
  node.href = target;
  node.target = "_blank";
  node.rel = "noopener noreferrer nofollow";
  return node;
}

/** One run of marked text. Images become links. */
function marked(text) {
  const wrap = (tag, size) => { const node = make(tag); inline(node, text.slice(size, -size)); return node; };
  if (text.startsWith("\\")) return document.createTextNode(text.slice(1));
  if (text.startsWith("`")) return make("code", text.slice(1, -1));
  if (text.startsWith("**") || text.startsWith("__")) return wrap("strong", 2);
  if (text.startsWith("~~")) return wrap("del", 2);
  if (text.startsWith("*") || text.startsWith("_")) return wrap("em", 1);
  const found = /^!?\[([^\]]*)\]\(([^)\s]+)\)$/.exec(text);
  return found ? link(found[1] || found[2], found[2]) : link(text, text);
}

/** @param {Node} parent @param {string} text */
function inline(parent, text) {
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    parent.append(text.slice(at, found.index), marked(found[0]));
    at = found.index + found[0].length;
  }
  parent.append(text.slice(at));
}

function table(lines) {
  const cells = (line) => line.replace(/^\s*\||\|\s*$/g, "").split("|").map((cell) => cell.trim());
  const node = written("table");
  const row = (line, tag) => {
    const made = make("tr");
    for (const cell of cells(line)) { const part = make(tag); inline(part, cell); made.append(part); }
    return made;
  };
  node.append(row(lines[0], "th"), ...lines.slice(2).map((line) => row(line, "td")));
  return scrolled(node);
}

/** What is wider than the message is moved inside its own frame, by keyboard too. */
function scrolled(node) {
  const frame = make(node.localName === "code" ? "pre" : "div");
  frame.className = "wide";
  if (node.localName === "code") frame.dir = "ltr";
  frame.tabIndex = 0;
  frame.append(node);
  return frame;
}

/** Lists within lists by indentation; a line without a marker goes on with the item before it. */
function list(lines) {
  const levels = [{ indent: -1, node: document.createDocumentFragment(), item: null }];
  for (const line of lines) {
    const [, space, marker, text] = MARKER.exec(line) || [];
    if (marker === undefined) { levels.at(-1).item.append(make("br")); inline(levels.at(-1).item, line.trim()); continue; }
    const indent = space.replace(/\t/g, "    ").length;
    while (levels.length > 2 && indent < levels.at(-1).indent) levels.pop();
    const kind = /\d/.test(marker) ? "ol" : "ul";
    if (levels.length === 1 || (indent > levels.at(-1).indent + 1 && levels.length <= DEEPEST)) deepen(levels, kind, indent, marker);
    else if (levels.at(-1).node.localName !== kind) { levels.pop(); deepen(levels, kind, indent, marker); }
    const item = make("li");
    inline(item, text);
    levels.at(-1).node.append(item);
    levels.at(-1).item = item;
  }
  return levels[0].node;
}

function deepen(levels, kind, indent, marker) {
  const node = written(kind);
  if (kind === "ol") node.start = Number.parseInt(marker, 10);
  const outer = levels.at(-1);
  (outer.item || outer.node).append(node);
  levels.push({ indent, node, item: null });
}

function paragraph(lines) {
  const node = written("p");
  lines.forEach((line, index) => { if (index) node.append(make("br")); inline(node, line); });
  return node;
}

const isList = (line) => MARKER.test(line) && !RULE.test(line);
const isRuled = (line) => line.includes("|") && line.includes("-") && /^[\s|:-]{1,2000}$/.test(line);
const isTable = (lines, at) => lines[at].includes("|") && isRuled(lines[at + 1] || "");
const isBreak = (line) => !line.trim() || /^#{1,6}\s|^>|^```/.test(line) || RULE.test(line) || isList(line);

/** Takes lines from `at` while `test` holds. */
function take(lines, at, test) {
  let end = at;
  while (end < lines.length && test(lines[end])) end += 1;
  return lines.slice(at, end);
}

/** Block at a line: its node and how many lines it took. */
function block(lines, at, depth) {
  const line = lines[at];
  if (line.startsWith("```")) {
    const body = take(lines, at + 1, (next) => !next.startsWith("```"));
    return [scrolled(make("code", body.join("\n"))), body.length + 2];
  }
  if (/^#{1,6}\s/.test(line)) {
    const head = written(`h${Math.min(6, line.match(/^#+/)[0].length + 2)}`);
    inline(head, line.replace(/^#+\s+/, ""));
    return [head, 1];
  }
  if (RULE.test(line)) return [make("hr"), 1];
  if (line.startsWith(">") && depth < DEEPEST) {
    const body = take(lines, at, (next) => next.startsWith(">"));
    const quote = make("blockquote");
    quote.append(render(body.map((next) => next.replace(/^>\s?/, "")).join("\n"), depth + 1));
    return [quote, body.length];
  }
  if (isTable(lines, at)) {
    const body = take(lines, at, (next) => next.includes("|"));
    return [table(body), body.length];
  }
  if (isList(line)) {
    const body = take(lines, at, (next) => isList(next) || /^\s{2,}\S/.test(next));
    return [list(body), body.length];
  }
  const body = [line, ...take(lines, at + 1, (next) => !isBreak(next))];
  return [paragraph(body), body.length];
}

/** The nodes of a text. @param {string} text @param {number} [depth] @returns {DocumentFragment} */
export function render(text, depth = 0) {
  const made = document.createDocumentFragment();
  const lines = text.replace(/\r/g, "").split("\n");
  for (let at = 0; at < lines.length;) {
    if (!lines[at].trim()) { at += 1; continue; }
    const [node, count] = block(lines, at, depth);
    made.append(node);
    at += count;
  }
  return made;
}
