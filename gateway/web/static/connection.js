/** The wire: signs in, opens a session, keeps a socket, resumes after the last number seen. */
const FIRST_WAIT = 400;
const LONGEST_WAIT = 15000;
const PING_EVERY = 20000;
const SILENT_AFTER = 45000;

/** @param {string} path @param {object} body @param {string} [token] */
async function post(path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  const error = new Error(content.message || `HTTP ${answer.status}`);
  error.status = answer.status;
  throw error;
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
    this.unsent = new Map();
    this.key = `parley:${base}:${bot}`;
    this.kept = JSON.parse(localStorage.getItem(this.key) || "{}");
    for (const item of this.kept.unsent || []) this.unsent.set(item.id, item);
    this.alive = true;
    this.onOnline = () => this.soon(0);
    addEventListener("online", this.onOnline);
  }

  keep() {
    this.kept.unsent = [...this.unsent.values()];
    localStorage.setItem(this.key, JSON.stringify(this.kept));
  }

  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }

  async start() {
    if (!this.alive) return;
    this.tell("state", "connecting");
    try {
      const ticket = await this.ticket();
      if (this.alive) this.listen(ticket);
    } catch (error) {
      if (error.status === 404 && this.kept.session) { delete this.kept.session; this.keep(); this.tell("lost"); }
      this.tell("problem", error);
      this.soon();
    }
  }

  /** A token that is good for another half a minute at least. */
  async token() {
    const kept = this.kept.tokens;
    if (kept && Date.parse(kept.expire_time) - Date.now() > 30000) return kept.access_token;
    let tokens;
    try {
      if (kept && kept.refresh_token) tokens = await post(`${this.base}/v1/tokens:refresh`, { refresh_token: kept.refresh_token });
    } catch (error) {
      if (!error.status || error.status >= 500 || error.status === 429) throw error;
      delete this.kept.session;
      this.tell("lost");
    }
    tokens = tokens || await post(`${this.base}/v1/visitors:signIn`, { bot: this.bot, locale: this.locale() });
    this.kept.tokens = tokens;
    this.keep();
    return tokens.access_token;
  }

  async ticket() {
    const token = await this.token();
    if (!this.kept.session) {
      this.kept.opening = this.kept.opening || crypto.randomUUID();
      this.keep();
      const wanted = { bot: `bots/${this.bot}`, locale: this.locale() };
      const session = await post(`${this.base}/v1/sessions?request_id=${this.kept.opening}`, wanted, token);
      this.kept.session = session.name;
      delete this.kept.opening;
      this.keep();
    }
    return (await post(`${this.base}/v1/${this.kept.session}:createTicket`, {}, token)).ticket;
  }

  listen(ticket) {
    const where = new URL(`${this.base}/v1/ws?ticket=${encodeURIComponent(ticket)}`, location.href);
    where.protocol = where.protocol.replace("http", "ws");
    const socket = new WebSocket(where);
    this.socket = socket;
    socket.onopen = () => this.put({ type: "resume", after: this.seen });
    socket.onmessage = (event) => { this.heard = Date.now(); this.take(JSON.parse(event.data)); };
    socket.onclose = () => { if (this.socket === socket) { this.socket = null; clearInterval(this.pinging); this.soon(); } };
    this.heard = Date.now();
    clearInterval(this.pinging);
    this.pinging = setInterval(() => this.ping(), PING_EVERY);
  }

  ping() {
    if (Date.now() - this.heard > SILENT_AFTER) this.socket && this.socket.close();
    else this.put({ type: "ping", t: Date.now() });
  }

  put(frame) {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  take(frame) {
    if (frame.type === "ready") {
      this.failures = 0;
      this.tell("state", "online");
      for (const item of this.unsent.values()) this.put({ type: "message", ...item });
    } else if (frame.type === "accepted") {
      this.unsent.delete(frame.id);
      this.keep();
    } else if (frame.type === "message") {
      if (frame.seq <= this.seen) return;
      this.seen = frame.seq;
      if (this.unsent.delete(frame.id)) this.keep();
    } else if (frame.type === "error" && frame.id && !["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "INTERNAL"].includes(frame.error.code)) {
      this.unsent.delete(frame.id);
      this.keep();
    } else if (frame.type === "error" && frame.id) {
      setTimeout(() => { const item = this.unsent.get(frame.id); if (item) this.put({ type: "message", ...item }); }, 1500);
    }
    this.tell("frame", frame);
  }

  /** Say something; it is kept until the ledger has it. */
  say(text, action, attachments) {
    const item = { id: crypto.randomUUID(), text, action: action || "", attachments: attachments || [] };
    this.unsent.set(item.id, item);
    this.keep();
    this.put({ type: "message", ...item });
    return item;
  }

  soon(wait) {
    if (!this.alive || this.socket) return;
    const usual = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    this.failures += 1;
    this.tell("state", "offline");
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.start(), wait ?? usual * (0.7 + Math.random() * 0.6));
  }

  /** Upload by a presigned address; gives what a message carries. */
  async upload(file) {
    const token = await this.token();
    const wanted = { file_name: file.name, content_type: file.type || "application/octet-stream", size: file.size };
    const made = await post(`${this.base}/v1/files:createUpload`, wanted, token);
    const sent = await fetch(made.upload_url, { method: "PUT", body: file });
    if (!sent.ok) throw new Error(`HTTP ${sent.status}`);
    const done = await post(`${this.base}/v1/${made.file.name}:completeUpload`, {}, token);
    return { name: file.name, uri: done.name, content_type: wanted.content_type, size: file.size };
  }

  /** Another conversation with the same bot. */
  renew() {
    delete this.kept.session;
    this.unsent.clear();
    this.seen = 0;
    this.keep();
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
    this.start();
  }

  stop() {
    this.alive = false;
    removeEventListener("online", this.onOnline);
    clearTimeout(this.waiting);
    clearInterval(this.pinging);
    if (this.socket) this.socket.close();
  }
}
