/** Lines of a conversation as nodes. Texts are set by functions, so that another language can be chosen at any time. */
import { sign } from "./look.js";
import { sizeOf } from "./files.js";
import { link, make, render } from "./markdown.js";

/** A node whose text is said again when the language changes. */
export function spoken(node, how) {
  node.dataset.spoken = "";
  node.speak = () => how(node);
  node.speak();
  return node;
}

/** Say all texts below a node again. @param {ParentNode} root */
export function speakAgain(root) { for (const node of root.querySelectorAll("[data-spoken]")) node.speak(); }

export class Lines {
  /** `words(key, values)` gives texts, `bot()` the name of the bot, `open(file)` saves an attachment. */
  constructor(words, bot, open) {
    this.words = words;
    this.bot = bot;
    this.open = open;
  }

  /** @param {{role: string, text: string, create_time?: string, attachments?: object[], citations?: object[]}} frame */
  line(frame) {
    const made = make("div");
    made.className = `line ${frame.role}`;
    made.dataset.testid = `message-${frame.role}`;
    const bubble = make("div");
    bubble.className = "bubble";
    bubble.append(this.speaker(frame.role), this.body(frame));
    if (frame.attachments && frame.attachments.length) bubble.append(this.attachments(frame.attachments));
    if (frame.citations && frame.citations.length) bubble.append(this.sources(frame.citations));
    made.append(bubble);
    if (frame.role === "bot" && frame.text) made.append(this.copier(frame.text));
    made.append(this.under(frame.create_time));
    return made;
  }

  speaker(role) {
    const made = spoken(make("span"), (node) => { node.textContent = `${role === "user" ? this.words("you") : this.bot()}: `; });
    made.className = "quiet";
    return made;
  }

  /** A person's words are shown as they were typed; a bot's are Markdown. */
  body(frame) {
    const made = make("div", frame.role === "user" ? frame.text : undefined);
    made.className = "text";
    if (frame.role === "user") made.dir = "auto";
    if (frame.role !== "user") made.append(render(frame.text));
    for (const wide of made.querySelectorAll(".wide")) this.named(wide);
    return made;
  }

  /** What the keyboard stops at has a name. */
  named(wide) {
    wide.setAttribute("role", "group");
    const key = wide.localName === "pre" ? "listing" : "table";
    spoken(wide, () => wide.setAttribute("aria-label", this.words(key)));
  }

  under(time) {
    const made = make("div");
    made.className = "under";
    if (!time) return made;
    const clock = { hour: "2-digit", minute: "2-digit" };
    const shown = spoken(make("time"), (node) => { node.textContent = new Date(time).toLocaleTimeString(this.words("code"), clock); });
    shown.dateTime = time;
    made.append(shown);
    return made;
  }

  copier(text) {
    const made = spoken(make("button"), (node) => { node.title = this.words("copy"); node.setAttribute("aria-label", this.words("copy")); });
    made.type = "button";
    made.className = "copy";
    made.append(sign("copy"));
    made.addEventListener("click", async () => {
      await copy(text, made);
      made.setAttribute("aria-label", this.words("copied"));
      made.replaceChildren(sign("done"));
      setTimeout(() => { made.replaceChildren(sign("copy")); made.speak(); }, 2000);
    });
    return made;
  }

  attachments(files) {
    const made = make("ul");
    made.className = "attachments";
    for (const file of files) {
      const item = make("li");
      item.dataset.testid = "attachment";
      item.append(file.uri.startsWith("files/") ? this.saver(file) : link(file.name, file.uri));
      made.append(item);
    }
    return made;
  }

  saver(file) {
    const made = make("button");
    made.type = "button";
    const name = make("span", file.name);
    name.className = "name";
    name.dir = "auto";
    const size = spoken(make("span"), (node) => { node.textContent = sizeOf(Number(file.size), this.words("code")); });
    size.className = "size";
    made.append(sign("file"), name, size);
    spoken(made, (node) => node.setAttribute("aria-label", `${this.words("download")}: ${file.name}`));
    made.addEventListener("click", () => this.open(file));
    return made;
  }

  sources(citations) {
    const made = make("details");
    made.dataset.testid = "sources";
    made.append(spoken(make("summary"), (node) => { node.textContent = `${this.words("sources")} (${citations.length})`; }));
    for (const item of citations) {
      const quote = make("blockquote", `“${item.quote}”`);
      quote.append(make("br"), make("strong", item.title));
      made.append(quote);
    }
    made.addEventListener("toggle", () => { if (made.open) made.scrollIntoView({ block: "nearest" }); });
    return made;
  }

  day(time) {
    const made = spoken(make("div"), (node) => { node.textContent = this.dayOf(time); });
    made.className = "day";
    return made;
  }

  dayOf(time) {
    const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
    const ago = Math.round((midnight(Date.now()) - midnight(time)) / 86400000);
    if (ago === 0 || ago === 1) return this.words(ago ? "yesterday" : "today");
    return new Date(time).toLocaleDateString(this.words("code"), { dateStyle: "long" });
  }
}

/** Into the clipboard, also on pages where the browser gives no clipboard to scripts. */
async function copy(text, beside) {
  if (navigator.clipboard) { await navigator.clipboard.writeText(text); return; }
  const field = make("textarea", text);
  field.className = "quiet";
  beside.after(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  beside.focus();
}
