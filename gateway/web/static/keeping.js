/** What is kept in the browser. Where nothing may be kept (a frame without storage) it lasts as long as the page. */
const memory = new Map();

/** @param {string} key @returns {string | null} */
export function read(key) {
  try {
    const found = localStorage.getItem(key);
    if (found !== null) return found;
  } catch { /* refused: the memory has it */ }
  return memory.get(key) ?? null;
}

/** @param {string} key @param {string} value */
export function write(key, value) {
  memory.set(key, value);
  try { localStorage.setItem(key, value); } catch { /* refused or full: the memory has it */ }
}

/** The object under a key, an empty one when there is none. @param {string} key */
export function readObject(key) {
  try { return JSON.parse(read(key)) || {}; } catch { return {}; }
}

/** One tab at a time. Without locks (a page that is not secure) they run as they come. */
export function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}

/** A UUID, also where crypto.randomUUID is kept for secure pages. */
export function identifier() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
