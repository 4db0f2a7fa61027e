/** <parley-chat bot="hello" [name] [language] [theme] [server] [whole]>: a conversation, as an element of any page. */
import { Connection, TOO_LONG } from "./connection.js";
import { Files } from "./files.js";
import { read, write } from "./keeping.js";
import { header, room } from "./frame.js";
import { Lines, speakAgain, spoken } from "./lines.js";
import { SHEET, sign } from "./look.js";
import { make, render } from "./markdown.js";
import { firstLanguage, known, say } from "./texts.js";

const NEAR_END = 80;
const TALLEST_INPUT = 144;
const LONGEST_TEXT = 32000;
const HOME = new URL(import.meta.url).origin;
const points = (text) => Array.from(text);

class ParleyChat extends HTMLElement {
  static observedAttributes = ["language"];

  connectedCallback() {
    this.language = firstLanguage(this.getAttribute("language"));
    this.bot = this.getAttribute("bot") || "hello";
    this.label = this.nameOf("");
    this.whole = this.hasAttribute("whole");
    this.drafts = new Map();
    this.pending = new Map();
    this.lastDay = "";
    this.lastState = "";
    this.last = null;
    this.busy = false;
    this.long = false;
    this.lines = new Lines((key, values) => this.text(key, values), () => this.label, (file) => this.save(file));
    this.setTheme(read("parley-theme") || this.getAttribute("theme"));
    this.build();
    this.connect();
    if (this.whole && matchMedia("(hover: hover)").matches) this.input.focus();
  }

  disconnectedCallback() { this.connection.stop(); }

  attributeChangedCallback(_, before, code) {
    if (this.isConnected && this.log && before !== code && known(code)) this.speak(known(code));
  }

  connect() {
    const server = this.getAttribute("server") ?? (HOME === location.origin ? "" : HOME);
    this.connection = new Connection(server.replace(/\/+$/, ""), this.bot, () => this.language);
    this.connection.addEventListener("state", (event) => this.showState(event.detail));
    this.connection.addEventListener("frame", (event) => this.take(event.detail));
    this.connection.addEventListener("problem", (event) => this.onProblem(event.detail));
    this.connection.addEventListener("lost", () => this.clear());
    for (const item of this.connection.unsent.values()) this.showPending(item);
    this.connection.start();
  }

  /** The page's own choice, else what the bot is called, else its id. */
  nameOf(told) {
    const plain = !told || told === this.bot;
    return this.getAttribute("name") || (plain ? this.bot.slice(0, 1).toUpperCase() + this.bot.slice(1) : told);
  }

  onReady(frame) {
    const label = this.nameOf(frame.display_name);
    if (label !== this.label) { this.label = label; speakAgain(this.shadowRoot); this.speakName(); }
    this.settle();
  }

  speakName() {
    this.setAttribute("aria-label", this.label);
    if (this.whole) document.title = this.label;
  }

  text(key, values) { return say(this.language, key, values); }

  // building

  build() {
    const root = this.shadowRoot || this.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [SHEET];
    this.setAttribute("role", "region");
    const frame = make("div");
    frame.className = "frame";
    frame.append(header(this), room(this), this.buildFooter());
    frame.addEventListener("keydown", (event) => { if (event.key === "Escape" && this.busy) this.cancel(); });
    root.replaceChildren(frame);
    this.speakName();
    this.translate();
  }

  /** A button that is only a sign; its name is said in the language of the moment. */
  button(name, press) {
    const made = spoken(make("button"), (node) => { node.title = this.text(name); node.setAttribute("aria-label", this.text(name)); });
    made.type = "button";
    made.className = "tool";
    made.dataset.testid = name;
    made.append(sign(name));
    made.addEventListener("click", press);
    return made;
  }

  /** A node whose aria-label follows the language. */
  labelled(node, key) { return spoken(node, () => node.setAttribute("aria-label", this.text(key))); }

  buildFooter() {
    const footer = make("footer");
    this.notice = make("div");
    this.notice.className = "notice";
    this.notice.setAttribute("role", "alert");
    this.notice.dataset.testid = "notice";
    const upload = (file, told) => this.connection.upload(file, told);
    this.files = new Files((key, values) => this.text(key, values), upload, () => this.showSend(), (text) => this.note(text), () => this.input.focus());
    footer.append(this.notice, this.files.holder, this.buildForm(), this.buildAgain());
    footer.addEventListener("dragover", (event) => event.preventDefault());
    footer.addEventListener("drop", (event) => { event.preventDefault(); this.files.add(event.dataTransfer.files); });
    return footer;
  }

  /** What takes the place of the form when there is nothing more to say in this conversation. */
  buildAgain() {
    this.again = spoken(make("button"), (node) => { node.textContent = this.text("fresh"); });
    this.again.type = "button";
    this.again.className = "again";
    this.again.dataset.testid = "again";
    this.again.hidden = true;
    this.again.addEventListener("click", () => this.renew());
    return this.again;
  }

  /** Whether one may write: not when the conversation is over. */
  allow(writing) {
    const inside = this.form.contains(this.shadowRoot.activeElement) || this.again === this.shadowRoot.activeElement;
    this.form.hidden = this.files.holder.hidden = !writing;
    this.again.hidden = writing;
    if (inside) (writing ? this.input : this.again).focus();
  }

  buildForm() {
    const form = make("form");
    this.form = form;
    const picker = make("input");
    picker.type = "file";
    picker.multiple = true;
    picker.hidden = true;
    picker.dataset.testid = "picker";
    picker.addEventListener("change", () => { this.files.add([...picker.files]); picker.value = ""; this.input.focus(); });
    this.input = spoken(make("textarea"), (node) => { node.placeholder = this.text("write"); node.setAttribute("aria-label", this.text("write")); });
    this.input.rows = 1;
    this.input.dir = "auto";
    this.input.dataset.testid = "input";
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", () => this.grow());
    this.input.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); this.files.add(event.clipboardData.files); } });
    this.sendButton = make("button");
    this.sendButton.type = "submit";
    this.sendButton.className = "send";
    this.sendButton.dataset.testid = "send";
    form.addEventListener("submit", (event) => { event.preventDefault(); if (this.stops()) this.cancel(); else this.submit(); });
    this.attach = this.button("attach", () => picker.click());
    form.append(picker, this.attach, this.input, this.sendButton);
    return form;
  }

  /** Say everything in the language of the moment. */
  translate() {
    this.chooser.value = this.language;
    this.lang = this.language;
    if (this.whole) document.documentElement.lang = this.language;
    speakAgain(this.shadowRoot);
    this.showSend();
  }

  speak(code) {
    this.language = code;
    this.translate();
  }

  setTheme(theme) {
    if (theme !== "dark" && theme !== "light") return;
    this.setAttribute("theme", theme);
    if (this.whole) document.documentElement.style.colorScheme = theme;
  }

  turn() {
    const dark = this.getAttribute("theme") ? this.getAttribute("theme") === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    this.setTheme(dark ? "light" : "dark");
    write("parley-theme", this.getAttribute("theme"));
  }

  // speaking

  key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.submit();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(TALLEST_INPUT, this.input.scrollHeight + 2)}px`;
    this.input.style.overflowY = this.input.scrollHeight > TALLEST_INPUT ? "auto" : "hidden";
    this.measure();
    this.showSend();
  }

  /** Longer than a message may be: it is said, and nothing of it is taken away. */
  measure() {
    const long = this.input.value.length > LONGEST_TEXT;
    if (long === this.long) return;
    this.long = long;
    this.input.setAttribute("aria-invalid", String(long));
    this.note(long ? this.text("tooLong") : "");
  }

  /** Whether there is something to send, all of it here. */
  sendable() { return !this.files.busy && !this.long && Boolean(this.input.value.trim() || this.files.count); }

  /** Whether the button stops the answer instead of sending. */
  stops() { return this.busy && !this.input.value.trim() && !this.files.count; }

  submit() {
    if (!this.sendable()) return;
    this.say(this.input.value.trim(), "", this.files.take());
    this.input.value = "";
    this.grow();
    this.input.focus();
  }

  say(text, action, files) {
    const item = this.connection.say(text, action, files);
    this.chips.replaceChildren();
    this.note("");
    this.showPending(item);
    this.wait(item.sent);
  }

  cancel() { this.connection.put({ type: "cancel" }); }

  async save(file) {
    try {
      const way = make("a");
      way.href = await this.connection.download(file.uri);
      way.download = file.name;
      way.click();
    } catch {
      this.note(this.text("notDownloaded", { name: file.name }));
    }
  }

  renew() {
    this.clear();
    this.connection.renew();
    this.input.focus();
  }

  clear() {
    for (const made of this.log.querySelectorAll(".line, .day")) if (made !== this.typing) made.remove();
    this.chips.replaceChildren();
    this.drafts.clear();
    this.pending.clear();
    this.lastDay = "";
    this.last = null;
    this.note("");
    this.allow(true);
    this.settle();
  }

  // hearing

  take(frame) {
    const handlers = { ready: this.onReady, message: this.onMessage, delta: this.onDelta, typing: () => this.wait(true),
      completed: () => this.settle(), failed: () => this.settle(), ended: this.onEnded, error: this.onError, accepted: this.onAccepted };
    const handler = handlers[frame.type];
    if (handler) handler.call(this, frame);
  }

  onMessage(frame) {
    const follow = this.nearEnd();
    const mine = frame.role === "user";
    if (!mine) this.dropDraft(`${frame.turn}.${frame.ordinal || 0}`);
    const waiting = this.pending.get(frame.id);
    if (waiting) { waiting.remove(); this.pending.delete(frame.id); }
    this.showDay(frame.create_time);
    const line = this.lines.line(frame);
    this.join(line, frame);
    this.place(line);
    this.showChips(mine ? [] : frame.suggestions || []);
    if (!mine) this.wait(false);
    if (follow || mine) this.toEnd();
  }

  dropDraft(key) {
    const draft = this.drafts.get(key);
    if (draft) { draft.remove(); this.drafts.delete(key); this.busy = false; this.showSend(); }
  }

  /** Pieces of a message to come. Offsets count characters, not the units of JavaScript; a piece behind a hole waits for the whole. */
  onDelta(frame) {
    const key = `${frame.turn}.${frame.ordinal || 0}`;
    const draft = this.drafts.get(key) || (frame.offset ? null : this.newDraft(key));
    this.busy = true;
    this.showSend();
    if (!draft || frame.offset > draft.heard.length) return;
    draft.heard = [...draft.heard.slice(0, frame.offset), ...points(frame.text)];
    this.wait(false);
    if (draft.drawing) return;
    draft.drawing = requestAnimationFrame(() => {
      const follow = this.nearEnd();
      draft.drawing = 0;
      draft.querySelector(".text").replaceChildren(render(draft.heard.join("")));
      if (follow) this.toEnd();
    });
  }

  /** What grows is not read aloud; the message that takes its place is. */
  newDraft(key) {
    const draft = this.lines.line({ role: "bot", text: "" });
    draft.dataset.testid = "draft";
    draft.setAttribute("aria-live", "off");
    draft.setAttribute("aria-busy", "true");
    draft.heard = [];
    this.drafts.set(key, draft);
    this.place(draft);
    return draft;
  }

  /** Nobody writes any more: what was begun is not going to be ended. */
  settle() {
    for (const draft of this.drafts.values()) draft.remove();
    this.drafts.clear();
    this.busy = false;
    this.wait(false);
    this.showSend();
  }

  onEnded() {
    this.settle();
    if (!this.again.hidden) return;
    this.chips.replaceChildren();
    const line = this.lines.line({ role: "system", text: "" });
    line.querySelector(".text").append(spoken(make("p"), (node) => { node.textContent = this.text("ended"); }));
    this.place(line);
    this.allow(false);
    this.toEnd();
  }

  onAccepted(frame) {
    const waiting = this.pending.get(frame.id);
    if (waiting) { waiting.classList.remove("pending"); this.wait(true); }
  }

  onError(frame) {
    this.wait(false);
    if (frame.passes) { this.note(this.text("busy")); return; }
    const reason = frame.error.reason === TOO_LONG ? this.text("tooLong") : this.text("failed", { reason: frame.error.message });
    this.note(reason);
    const waiting = frame.id && this.pending.get(frame.id);
    if (!waiting) return;
    waiting.classList.replace("pending", "refused");
    const under = waiting.querySelector(".under");
    under.replaceChildren(spoken(make("span"), (node) => { node.textContent = this.text("notSent"); }));
  }

  /** What keeps the page from connecting; that the network is away is said by the state. */
  onProblem(error) {
    if (error.socket) this.note(this.text("noSocket"));
    else if (error.status === 404) this.note(this.text("noBot", { bot: this.bot }));
    else if (error.status === 429 || error.status >= 500) this.note(this.text("busy"));
    else if (error.status) this.note(this.text("failed", { reason: error.message }));
  }

  note(text) { if (this.notice.textContent !== text) this.notice.textContent = text; }

  // showing

  showPending(item) {
    const made = this.lines.line({ role: "user", text: item.text, attachments: item.attachments });
    made.classList.add("pending");
    made.querySelector(".under").append(spoken(make("span"), (node) => { node.textContent = this.text("waiting"); }));
    this.pending.set(item.id, made);
    this.place(made);
    this.toEnd();
  }

  showChips(suggestions) {
    this.chips.replaceChildren(...suggestions.map((item) => {
      const made = make("button", item.text);
      made.type = "button";
      made.dir = "auto";
      made.addEventListener("click", () => {
        this.say(item.text, item.value, []);
        if (matchMedia("(hover: hover)").matches) this.input.focus(); else this.log.focus();
      });
      return made;
    }));
  }

  showDay(time) {
    if (!time) return;
    const day = new Date(time).toDateString();
    if (day === this.lastDay) return;
    this.lastDay = day;
    this.last = null;
    this.place(this.lines.day(time));
  }

  /** Lines of one speaker in one minute share the time below the last of them. */
  join(line, frame) {
    const minute = `${frame.role} ${(frame.create_time || "").slice(0, 16)}`;
    if (this.last && this.last.minute === minute) this.last.line.classList.add("joined");
    this.last = { minute, line };
  }

  place(node) {
    const waiting = [...this.pending.values()].find((item) => item.isConnected && item !== node);
    this.log.insertBefore(node, node.classList.contains("pending") || !waiting ? this.typing : waiting);
  }

  wait(on) {
    if (this.typing.hidden !== on) return;
    const follow = this.nearEnd();
    this.typing.hidden = !on;
    if (on && follow) this.toEnd();
  }

  showSend() {
    const key = this.stops() ? "stop" : "send";
    if (this.sendButton.dataset.sign !== key) this.sendButton.replaceChildren(sign(key));
    this.sendButton.dataset.sign = key;
    this.sendButton.setAttribute("aria-label", this.text(key));
    this.sendButton.title = this.text(key);
    this.sendButton.disabled = key === "send" && !this.sendable();
  }

  showState(state) {
    if (state === this.lastState) return;
    this.lastState = state;
    this.state.className = `state ${state}`;
    this.state.lastChild.speak();
    this.input.disabled = this.attach.disabled = state === "refused";
    if (state !== "online") this.wait(false);
    else if (!this.long) this.note("");
    if (state === "refused") this.note(this.text("notAllowed", { origin: location.origin }));
  }

  nearEnd() { return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END; }

  /** Where a person scrolled to; what a change of the room did to it is for follow(). */
  showLatest() { if (this.log.clientHeight === this.room) this.latest.hidden = this.nearEnd(); }

  /** A keyboard opened, a file was added: who read the end goes on reading the end. */
  follow() {
    this.room = this.log.clientHeight;
    if (this.latest.hidden) this.toEnd(); else this.showLatest();
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.latest.hidden = true;
  }
}

if (!customElements.get("parley-chat")) customElements.define("parley-chat", ParleyChat);
