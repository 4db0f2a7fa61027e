/** <parley-chat bot="hello" [server="https://..."]>: a conversation, as an element of any page. */
import { Connection } from "/static/connection.js";
import { LOOK, sign } from "/static/look.js";
import { make, render } from "/static/markdown.js";
import { TEXTS, firstLanguage } from "/static/texts.js";

const NEAR_END = 80;

class ParleyChat extends HTMLElement {
  connectedCallback() {
    this.language = firstLanguage();
    this.bot = this.getAttribute("bot") || "hello";
    this.drafts = new Map();
    this.pending = new Map();
    this.files = [];
    const theme = localStorage.getItem("parley-theme");
    if (theme) this.setAttribute("theme", theme);
    this.build();
    this.connection = new Connection(this.getAttribute("server") || "", this.bot, () => this.language);
    this.connection.addEventListener("state", (event) => this.showState(event.detail));
    this.connection.addEventListener("frame", (event) => this.take(event.detail));
    this.connection.addEventListener("problem", (event) => this.complain(event.detail));
    this.connection.addEventListener("lost", () => this.clear());
    for (const item of this.connection.unsent.values()) this.showPending(item);
    this.connection.start();
  }

  disconnectedCallback() { this.connection.stop(); }

  text(key) { return TEXTS[this.language][key]; }

  // building

  build() {
    const root = this.shadowRoot || this.attachShadow({ mode: "open" });
    const style = make("style", LOOK);
    root.replaceChildren(style, this.buildHeader(), this.buildLog(), this.buildFooter());
    this.translate();
  }

  button(name, press) {
    const made = make("button");
    made.type = "button";
    made.className = "tool";
    made.part = name;
    made.dataset.testid = name;
    made.dataset.label = name;
    made.append(sign(name));
    made.addEventListener("click", press);
    return made;
  }

  buildHeader() {
    const header = make("header");
    const face = make("div", this.bot.slice(0, 1).toUpperCase());
    face.className = "face";
    face.setAttribute("aria-hidden", "true");
    const who = make("div");
    who.className = "who";
    this.nameplate = make("strong", this.bot.slice(0, 1).toUpperCase() + this.bot.slice(1));
    this.state = make("div");
    this.state.className = "state";
    this.state.setAttribute("role", "status");
    this.state.dataset.testid = "state";
    this.state.append(make("i"), make("span"));
    who.append(this.nameplate, this.state);
    this.chooser = make("select");
    this.chooser.dataset.testid = "language";
    for (const [code, words] of Object.entries(TEXTS)) { const option = make("option", words.name); option.value = code; this.chooser.append(option); }
    this.chooser.value = this.language;
    this.chooser.addEventListener("change", () => this.speak(this.chooser.value));
    header.append(face, who, this.chooser, this.button("theme", () => this.turn()), this.button("fresh", () => this.renew()));
    return header;
  }

  buildLog() {
    this.log = make("main");
    this.log.setAttribute("role", "log");
    this.log.setAttribute("aria-live", "polite");
    this.log.tabIndex = 0;
    this.log.dataset.testid = "log";
    this.typing = make("div");
    this.typing.className = "line";
    this.typing.hidden = true;
    this.typing.dataset.testid = "typing";
    const dots = make("div");
    dots.className = "bubble typing";
    this.typingWords = make("span");
    this.typingWords.className = "quiet";
    dots.append(make("i"), make("i"), make("i"), this.typingWords);
    this.typing.append(dots);
    this.chips = make("div");
    this.chips.className = "chips";
    this.chips.setAttribute("role", "group");
    this.chips.dataset.testid = "suggestions";
    this.log.append(this.typing, this.chips);
    return this.log;
  }

  buildFooter() {
    const footer = make("footer");
    this.notice = make("div");
    this.notice.className = "notice";
    this.notice.setAttribute("role", "alert");
    this.notice.dataset.testid = "notice";
    this.fileRow = make("div");
    this.fileRow.className = "files";
    const form = make("form");
    this.picker = make("input");
    this.picker.type = "file";
    this.picker.hidden = true;
    this.picker.addEventListener("change", () => this.pick());
    this.input = make("textarea");
    this.input.rows = 1;
    this.input.dataset.testid = "input";
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("input", () => this.grow());
    this.sendButton = make("button");
    this.sendButton.type = "submit";
    this.sendButton.className = "send";
    this.sendButton.dataset.testid = "send";
    this.sendButton.append(sign("send"));
    form.addEventListener("submit", (event) => { event.preventDefault(); this.streaming && !this.input.value.trim() ? this.cancel() : this.submit(); });
    form.append(this.picker, this.button("attach", () => this.picker.click()), this.input, this.sendButton);
    footer.append(this.notice, this.fileRow, form);
    return footer;
  }

  translate() {
    this.lang = this.language;
    if (this.closest("body.chat-page")) document.documentElement.lang = this.language;
    this.input.placeholder = this.text("write");
    this.input.setAttribute("aria-label", this.text("write"));
    this.chooser.setAttribute("aria-label", this.text("language"));
    this.log.setAttribute("aria-label", this.text("log"));
    this.chips.setAttribute("aria-label", this.text("suggestions"));
    this.typingWords.textContent = `${this.nameplate.textContent} ${this.text("typing")}`;
    for (const made of this.shadowRoot.querySelectorAll("[data-label]")) {
      made.setAttribute("aria-label", this.text(made.dataset.label));
      made.title = this.text(made.dataset.label);
    }
    this.showSend();
    this.showState(this.lastState || "connecting");
  }

  speak(code) {
    this.language = code;
    localStorage.setItem("parley-language", code);
    this.translate();
  }

  turn() {
    const dark = this.getAttribute("theme") ? this.getAttribute("theme") === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    const next = dark ? "light" : "dark";
    this.setAttribute("theme", next);
    localStorage.setItem("parley-theme", next);
  }

  // speaking

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); this.submit(); }
    if (event.key === "Escape" && this.streaming) this.cancel();
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(144, this.input.scrollHeight + 2)}px`;
    this.showSend();
  }

  submit() {
    const text = this.input.value.trim();
    if (!text && !this.files.length) return;
    this.say(text, "");
    this.input.value = "";
    this.grow();
  }

  say(text, action) {
    const item = this.connection.say(text, action, this.files);
    this.files = [];
    this.fileRow.replaceChildren();
    this.chips.replaceChildren();
    this.complain(null);
    this.showPending(item);
    this.wait(true);
    this.input.focus();
  }

  cancel() { this.connection.put({ type: "cancel" }); }

  async pick() {
    const file = this.picker.files[0];
    this.picker.value = "";
    if (!file) return;
    const shown = make("span", `${this.text("uploading")}: ${file.name}`);
    this.fileRow.append(shown);
    try {
      this.files.push(await this.connection.upload(file));
      shown.textContent = file.name;
    } catch (error) {
      shown.remove();
      this.complain(error);
    }
    this.showSend();
  }

  renew() {
    this.clear();
    this.connection.renew();
    this.input.focus();
  }

  clear() {
    for (const made of [...this.log.querySelectorAll(".line, .day")]) if (made !== this.typing) made.remove();
    this.chips.replaceChildren();
    this.drafts.clear();
    this.pending.clear();
    this.lastDay = "";
    this.wait(false);
  }

  // hearing

  take(frame) {
    const handlers = { message: this.onMessage, delta: this.onDelta, typing: () => this.wait(true), completed: () => this.settle(),
      failed: () => this.settle(), ended: this.onEnded, error: this.onError, accepted: this.onAccepted };
    const handler = handlers[frame.type];
    if (handler) handler.call(this, frame);
  }

  onMessage(frame) {
    const follow = this.nearEnd();
    const draft = this.drafts.get(`${frame.turn}.${frame.ordinal}`);
    if (frame.role !== "user" && draft) { draft.remove(); this.drafts.delete(`${frame.turn}.${frame.ordinal}`); }
    const waiting = this.pending.get(frame.id);
    if (waiting) { waiting.remove(); this.pending.delete(frame.id); }
    this.showDay(frame.create_time);
    this.place(this.line(frame));
    if (frame.role !== "user") { this.showChips(frame.suggestions || []); this.streaming = false; this.wait(false); this.showSend(); }
    if (follow || frame.role === "user") this.toEnd();
  }

  onDelta(frame) {
    const follow = this.nearEnd();
    const key = `${frame.turn}.${frame.ordinal}`;
    let draft = this.drafts.get(key);
    if (!draft) { draft = this.line({ role: "bot", text: "" }); draft.source = ""; this.drafts.set(key, draft); this.place(draft); }
    if (frame.offset < draft.source.length) draft.source = draft.source.slice(0, frame.offset);
    draft.source += frame.text;
    draft.querySelector(".bubble").replaceChildren(render(draft.source));
    this.streaming = true;
    this.wait(false);
    this.showSend();
    if (follow) this.toEnd();
  }

  settle() { this.streaming = false; this.wait(false); this.showSend(); }

  onEnded() { this.settle(); this.place(this.line({ role: "system", text: this.text("ended") })); this.toEnd(); }

  onAccepted(frame) { const waiting = this.pending.get(frame.id); if (waiting) waiting.classList.remove("pending"); }

  onError(frame) {
    if (["UNAVAILABLE", "RESOURCE_EXHAUSTED"].includes(frame.error.code)) this.notice.textContent = this.text("busy");
    else this.complain(new Error(frame.error.message));
    this.wait(false);
  }

  complain(error) { this.notice.textContent = error ? this.text("failed") + error.message : ""; }

  // showing

  line(frame) {
    const made = make("div");
    made.className = `line ${frame.role}`;
    made.dataset.testid = `message-${frame.role}`;
    const bubble = make("div");
    bubble.className = "bubble";
    const speaker = make("span", `${frame.role === "user" ? this.text("you") : this.nameplate.textContent}: `);
    speaker.className = "quiet";
    bubble.append(speaker);
    if (frame.role === "user") bubble.append(make("span", frame.text)); else bubble.append(render(frame.text));
    for (const file of frame.attachments || []) bubble.append(make("p", `📎 ${file.name}`));
    if (frame.citations && frame.citations.length) bubble.append(this.sources(frame.citations));
    const under = make("div");
    under.className = "under";
    if (frame.create_time) under.append(make("span", new Date(frame.create_time).toLocaleTimeString(this.language, { hour: "2-digit", minute: "2-digit" })));
    if (frame.role === "bot" && frame.text) under.append(this.copier(frame.text));
    made.append(bubble, under);
    return made;
  }

  copier(text) {
    const made = make("button", this.text("copy"));
    made.type = "button";
    made.addEventListener("click", async () => { await navigator.clipboard.writeText(text); made.textContent = this.text("copied"); });
    return made;
  }

  sources(citations) {
    const made = make("details");
    made.dataset.testid = "sources";
    made.append(make("summary", `${this.text("sources")} (${citations.length})`));
    for (const item of citations) { const quote = make("blockquote", `“${item.quote}”`); quote.append(make("br"), make("strong", item.title)); made.append(quote); }
    return made;
  }

  showPending(item) {
    const made = this.line({ role: "user", text: item.text, attachments: item.attachments });
    made.classList.add("pending");
    this.pending.set(item.id, made);
    this.place(made);
    this.toEnd();
  }

  showChips(suggestions) {
    this.chips.replaceChildren(...suggestions.map((item) => {
      const made = make("button", item.text);
      made.type = "button";
      made.addEventListener("click", () => this.say(item.text, item.value));
      return made;
    }));
  }

  showDay(time) {
    if (!time) return;
    const day = new Date(time).toDateString();
    if (day === this.lastDay) return;
    this.lastDay = day;
    const ago = Math.round((new Date(new Date().toDateString()) - new Date(day)) / 86400000);
    const words = ago === 0 ? this.text("today") : ago === 1 ? this.text("yesterday") : new Date(time).toLocaleDateString(this.language, { dateStyle: "long" });
    const made = make("div", words);
    made.className = "day";
    this.place(made);
  }

  place(node) {
    const waiting = [...this.pending.values()].find((item) => item.isConnected && item !== node);
    this.log.insertBefore(node, node.classList.contains("pending") || !waiting ? this.typing : waiting);
  }

  wait(on) { const follow = this.nearEnd(); this.typing.hidden = !on; if (on && follow) this.toEnd(); }

  showSend() {
    const stop = this.streaming && !this.input.value.trim();
    this.sendButton.replaceChildren(sign(stop ? "stop" : "send"));
    this.sendButton.setAttribute("aria-label", this.text(stop ? "stop" : "send"));
    this.sendButton.disabled = !stop && !this.input.value.trim() && !this.files.length;
  }

  showState(state) {
    this.lastState = state;
    this.state.className = `state ${state}`;
    this.state.lastChild.textContent = this.text(state);
    if (state === "online") this.complain(null);
  }

  nearEnd() { return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END; }

  toEnd() { this.log.scrollTop = this.log.scrollHeight; }
}

customElements.define("parley-chat", ParleyChat);
