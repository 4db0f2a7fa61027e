/** Files on their way into a message: each is a tag that says how far it is and can be taken off. */
import { make } from "./markdown.js";

export const LARGEST = 100 * 1024 * 1024;
const MOST = 10;
const KILOBYTE = 1024;

/** A size for people. @param {number} bytes @param {string} language */
export function sizeOf(bytes, language) {
  const large = bytes >= KILOBYTE ** 2;
  const value = bytes / (large ? KILOBYTE ** 2 : KILOBYTE);
  const shape = { style: "unit", unit: large ? "megabyte" : "kilobyte", unitDisplay: "short", maximumFractionDigits: value < 10 ? 1 : 0 };
  return new Intl.NumberFormat(language, shape).format(Math.max(0.1, value));
}

export class Files {
  /** `words(key, values)` gives texts; `upload(file, told)` a promise; `changed()` is called when readiness changes;
   * `complain(text)` says what cannot be done; `home()` takes the focus when what had it is gone. */
  constructor(words, upload, changed, complain, home) {
    this.home = home;
    this.words = words;
    this.upload = upload;
    this.changed = changed;
    this.complain = complain;
    this.tags = new Set();
    this.holder = make("ul");
    this.holder.className = "files";
    this.holder.dataset.testid = "files";
  }

  get busy() { return [...this.tags].some((tag) => !tag.done); }

  get count() { return this.tags.size; }

  /** What the message carries; the row is empty afterwards. */
  take() {
    const done = [...this.tags].map((tag) => tag.done).filter(Boolean);
    this.tags.clear();
    this.holder.replaceChildren();
    return done;
  }

  /** @param {Iterable<File>} files */
  add(files) {
    const problems = [];
    for (const file of files) {
      const problem = this.problem(file);
      if (problem) problems.push(problem); else this.begin(file);
    }
    this.complain([...new Set(problems)].join("\n"));
    this.changed();
  }

  problem(file) {
    if (file.size > LARGEST) return this.words("tooLarge", { name: file.name, size: sizeOf(LARGEST, this.words("code")) });
    if (!file.size) return this.words("empty", { name: file.name });
    return this.tags.size >= MOST ? this.words("tooMany", { count: MOST }) : "";
  }

  begin(file) {
    const tag = { file, node: make("li"), state: make("span"), done: null };
    tag.state.className = "progress";
    const name = make("span", file.name);
    name.className = "name";
    name.dir = "auto";
    tag.node.append(name, tag.state, this.button("remove", file, () => this.remove(tag)));
    this.tags.add(tag);
    this.holder.append(tag.node);
    this.bring(tag);
  }

  button(key, file, press) {
    const made = make("button", key === "remove" ? "×" : this.words(key));
    made.type = "button";
    made.setAttribute("aria-label", `${this.words(key)}: ${file.name}`);
    made.addEventListener("click", press);
    return made;
  }

  async bring(tag) {
    if (tag.state.matches(":focus-within")) tag.node.querySelector(":scope > button").focus();
    tag.node.className = "";
    tag.state.textContent = this.words("uploading");
    try {
      tag.done = await this.upload(tag.file, (part) => { tag.state.textContent = `${Math.floor(part * 100)} %`; });
      tag.state.textContent = sizeOf(tag.file.size, this.words("code"));
    } catch {
      if (this.tags.has(tag)) this.fail(tag);
    }
    this.changed();
  }

  fail(tag) {
    tag.node.className = "failed";
    tag.state.replaceChildren(this.button("again", tag.file, () => { this.complain(""); this.bring(tag); this.changed(); }));
    this.complain(this.words("notUploaded", { name: tag.file.name }));
  }

  remove(tag) {
    const inside = tag.node.matches(":focus-within");
    this.tags.delete(tag);
    tag.node.remove();
    if (inside) this.home();
    this.complain("");
    this.changed();
  }
}
