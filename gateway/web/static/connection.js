/** The wire: signs in, opens a session, keeps a socket, resumes after the last number seen. Tabs share what is kept. */
import { alone, change, identifier, readObject, write } from "./keeping.js";

const FIRST_WAIT = 400;
const GROWTH = 1.5;
const LONGEST_WAIT = 15000;
const SELDOM = 60000;
const AGAIN_AFTER = 1500;
const PING_EVERY = 20000;
const PONG_WITHIN = 8000;
const ANSWER_WITHIN = 20000;
const UNOPENED = 4;
/** The reason of a message that no frame can hold. */
export const TOO_LONG = "TOO_LONG";
const PASSING = ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL", "ABORTED"];

/** An answer that is cut off is none: it throws as the network does.
 * @param {string} path @param {object} body @param {string} [token] */
async function post(path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(ANSWER_WITHIN) });
  if (answer.ok) return answer.json();
  const content = await answer.json().catch(() => ({}));
  const error = new Error(content.message || `HTTP ${answer.status}`);
  error.status = answer.status;
  throw error;
}

/** Whether the same request may succeed later: the network, a restart, too much at once. */
const passes = (error) => !error.status || error.status >= 500 || error.status === 429;

/** How large a frame is on the wire. */
const bytesOf = (frame) => new TextEncoder().encode(JSON.stringify(frame)).length;

/** The access token that is kept, empty when it is about to end. */
function fresh({ tokens }) {
  return tokens && Date.parse(tokens.expire_time) - Date.now() > 30000 ? tokens.access_token : "";
}

export class Connection extends EventTarget {
  /** @param {string} base @param {string} bot @param {() => string} locale */
  constructor(base, bot, locale) {
    super();
    this.base = base;
    this.bot = bot;
    this.locale = locale;
    this.seen = 0;
    this.failures = 0;
    this.unopened = 0;
    this.attempt = 0;
    this.known = false;
    this.largest = Infinity;
    this.key = `parley:${base}:${bot}`;
    this.unsent = new Map(Object.entries(readObject(`${this.key}:unsent`)));
    this.session = "";
    this.alive = true;
    this.tabs = new BroadcastChannel(this.key);
    this.tabs.onmessage = (event) => this.follow(event.data);
    this.ears = [[window, "online", () => this.check()], [window, "offline", () => this.drop()],
      [document, "visibilitychange", () => document.hidden || this.check()]];
    for (const [where, type, ear] of this.ears) where.addEventListener(type, ear);
  }

  /** What tabs share: tokens and the session. */
  kept(how) { return change(this.key, how); }

  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  async start() {
    if (!this.alive) return;
    clearTimeout(this.waiting);
    this.waiting = 0;
    this.attempt += 1;
    const mine = this.attempt;
    if (!this.failures) this.tell("state", "connecting");
    try {
      const ticket = await this.ticket();
      if (this.alive && mine === this.attempt) this.listen(ticket);
    } catch (error) {
      if (mine !== this.attempt) return;
      if (error.status === 401) await this.kept((kept) => { if (kept.tokens) kept.tokens.expire_time = ""; });
      else if (error.status === 404 && this.session) await this.lose();
      else if (await this.shutOut(error)) { this.refuse(); return; }
      else this.tell("problem", error);
      this.soon();
    }
  }

  /** Whether the edge is there and tells pages of this origin nothing: the script may be loaded by all, the rest not. */
  async shutOut(error) {
    if (error.status || this.known || new URL(this.base || "/", location.href).origin === location.origin) return false;
    const asking = { method: "HEAD", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(ANSWER_WITHIN) };
    return fetch(`${this.base}/embed.js`, asking).then((answer) => answer.ok, () => false);
  }

  /** The people of the edge may let this origin in, so it is tried again, seldom. */
  refuse() {
    if (!this.alive || this.socket) return;
    this.failures += 1;
    this.tell("state", "refused");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.start(), SELDOM);
  }

  /** The session is gone: what was shown of it goes too, what waits to be sent goes to the next one. */
  async lose() {
    await this.kept((kept) => { delete kept.session; });
    this.session = "";
    this.seen = 0;
    this.tell("lost");
  }

  /** A token that is good for another half a minute at least. Tabs take turns, so that one is renewed. */
  async token() {
    return fresh(await this.kept()) || alone(`${this.key}:token`, async () => {
      const kept = await this.kept();
      return fresh(kept) || this.newToken(kept.tokens);
    });
  }

  async newToken(old) {
    let tokens;
    try {
      if (old && old.refresh_token) tokens = await post(`${this.base}/v1/tokens:refresh`, { refresh_token: old.refresh_token });
    } catch (error) {
      if (passes(error)) throw error;
      await this.lose();
    }
    tokens = tokens || await post(`${this.base}/v1/visitors:signIn`, { bot: this.bot, locale: this.locale() });
    await this.kept((kept) => { kept.tokens = tokens; });
    return tokens.access_token;
  }

  async ticket() {
    const token = await this.token();
    this.session = await alone(`${this.key}:session`, () => this.openSession(token));
    return (await post(`${this.base}/v1/${this.session}:createTicket`, {}, token)).ticket;
  }

  /** The session that is kept, or a new one; asked for twice by the same id, it is one. */
  async openSession(token) {
    const { session, opening } = await this.kept((kept) => { if (!kept.session) kept.opening = kept.opening || identifier(); });
    if (session) return session;
    const wanted = { bot: `bots/${this.bot}`, locale: this.locale() };
    const { name } = await post(`${this.base}/v1/sessions?request_id=${opening}`, wanted, token);
    await this.kept((kept) => { kept.session = name; delete kept.opening; });
    this.tabs.postMessage(name);
    return name;
  }

  listen(ticket) {
    const where = new URL(`${this.base}/v1/ws?ticket=${encodeURIComponent(ticket)}`, location.href);
    where.protocol = where.protocol.replace("http", "ws");
    const socket = new WebSocket(where);
    this.socket = socket;
    let opened = false;
    socket.onopen = () => { opened = true; this.unopened = 0; this.put({ type: "resume", after: this.seen }); };
    socket.onmessage = (event) => { if (this.socket === socket) { this.heard = Date.now(); this.take(JSON.parse(event.data)); } };
    socket.onclose = () => {
      if (this.socket !== socket) return;
      if (!opened) this.closedUnopened();
      this.drop();
    };
    clearInterval(this.pinging);
    this.pinging = setInterval(() => this.ping(), PING_EVERY);
  }

  /** A ticket was given, so the edge is there: something between lets no socket through, or the bridge is down. */
  closedUnopened() {
    this.unopened += 1;
    if (this.unopened >= UNOPENED) this.tell("problem", { socket: true });
  }

  /** Asks whether the other side is there; without an answer in time the connection counts as lost. */
  ping() {
    const socket = this.socket;
    const asked = Date.now();
    if (!this.put({ type: "ping", t: asked })) return;
    setTimeout(() => { if (this.socket === socket && this.heard < asked) this.drop(); }, PONG_WITHIN);
  }

  /** After sleep or a change of network. */
  check() { if (this.socket) this.ping(); else if (this.waiting) this.start(); }

  drop() {
    this.hangUp();
    this.soon();
  }

  hangUp() {
    const socket = this.socket;
    this.socket = null;
    clearInterval(this.pinging);
    if (socket) socket.close();
  }

  put(frame) {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  take(frame) {
    if (frame.type === "error" && !frame.id && frame.error.code === "OUT_OF_RANGE") { this.again(); return; }
    if (frame.type === "message" && frame.seq <= this.seen) return;
    if (frame.type === "ready") this.ready(frame);
    else if (frame.type === "accepted") this.settle(frame.id);
    else if (frame.type === "message") { this.seen = frame.seq; this.settle(frame.id); }
    else if (frame.type === "error" && frame.id) this.refused(frame);
    this.tell("frame", frame);
  }

  /** The ledger is shorter than what was shown, so it is another one: shown from its beginning. */
  again() {
    this.seen = 0;
    this.tell("lost");
    this.put({ type: "resume", after: 0 });
  }

  ready(frame) {
    this.failures = 0;
    this.largest = (frame.limits && frame.limits.frame_bytes) || Infinity;
    this.known = true;
    this.tell("state", "online");
    for (const id of this.unsent.keys()) this.send(id);
  }

  refused(frame) {
    frame.passes = PASSING.includes(frame.error.code);
    if (frame.passes) setTimeout(() => this.send(frame.id), AGAIN_AFTER);
    else this.settle(frame.id);
  }

  /** It waits no longer. */
  settle(id) {
    if (this.unsent.delete(id)) this.keepUnsent((kept) => { delete kept[id]; });
  }

  /** At once, so that it survives whatever comes; sent twice by two tabs, it is one message. */
  keepUnsent(how) {
    const kept = readObject(`${this.key}:unsent`);
    how(kept);
    write(`${this.key}:unsent`, JSON.stringify(kept));
  }

  send(id) {
    const item = this.unsent.get(id);
    if (!item) return false;
    const frame = { type: "message", ...item };
    if (bytesOf(frame) <= this.largest) return this.put(frame);
    // Sent, it would close the socket, and be sent again by the next one. Told later: who says it has not shown it yet.
    queueMicrotask(() => this.take({ type: "error", id, error: { code: "INVALID_ARGUMENT", reason: TOO_LONG, message: "" } }));
    return false;
  }

  /** Say something; it is kept until the ledger has it. */
  say(text, action, attachments) {
    const item = { id: identifier(), text: text.replace(/\p{Surrogate}/gu, "\ufffd"), action: action || "", attachments: attachments || [] };
    this.unsent.set(item.id, item);
    this.keepUnsent((kept) => { kept[item.id] = item; });
    return { ...item, sent: this.send(item.id) };
  }

  soon() {
    if (!this.alive || this.socket) return;
    const usual = Math.min(LONGEST_WAIT, FIRST_WAIT * GROWTH ** this.failures);
    this.failures += 1;
    this.tell("state", "offline");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.start(), usual * (0.7 + Math.random() * 0.6));
  }

  /** Bytes to a presigned address; gives what a message carries. `told` hears the part that is sent, 0 to 1. */
  async upload(file, told) {
    const token = await this.token();
    const wanted = { file_name: file.name, content_type: file.type || "application/octet-stream", size: file.size };
    const made = await post(`${this.base}/v1/files:createUpload`, wanted, token);
    await send(made.upload_url, file, told);
    const done = await post(`${this.base}/v1/${made.file.name}:completeUpload`, {}, await this.token());
    return { name: file.name, uri: done.name, content_type: wanted.content_type, size: file.size };
  }

  /** An address that saves a file. @param {string} name "files/..." */
  async download(name) {
    return (await post(`${this.base}/v1/${name}:createDownload`, {}, await this.token())).download_url;
  }

  /** Another conversation with the same bot. */
  async renew() {
    this.forget();
    this.hangUp();
    await this.kept((kept) => { delete kept.session; });
    this.restart();
  }

  /** Another tab began another conversation: go along. */
  follow(session) {
    if (!this.session || session === this.session) return;
    this.forget();
    this.tell("lost");
    this.restart();
  }

  forget() {
    this.unsent.clear();
    write(`${this.key}:unsent`, "{}");
  }

  restart() {
    this.session = "";
    this.seen = 0;
    this.failures = 0;
    this.hangUp();
    this.start();
  }

  stop() {
    this.alive = false;
    this.tabs.close();
    for (const [where, type, ear] of this.ears) where.removeEventListener(type, ear);
    clearTimeout(this.waiting);
    this.hangUp();
  }
}

/** PUT that tells how far it is, which fetch cannot. */
function send(address, file, told) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", address);
    request.upload.onprogress = (event) => told(event.loaded / file.size);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(`HTTP ${request.status}`)));
    request.onerror = () => reject(new Error("the connection broke"));
    request.send(file);
  });
}
