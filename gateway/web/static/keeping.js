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

let opened;

/** The database of this origin, nothing where none may be kept. */
function database() {
  opened = opened || new Promise((resolve) => {
    try {
      const request = indexedDB.open("parley", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("kept");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => resolve(null);
    } catch { resolve(null); }
  });
  return opened;
}

/** Changes the object under a key and gives it as it is then. What one tab changed, every tab sees as soon as this is
 * done: localStorage does not promise that, and a token that must be used once would be used twice.
 * @param {string} key @param {(kept: object) => void} [how] */
export async function change(key, how = () => {}) {
  const base = await database();
  if (!base) {
    const kept = readObject(key);
    how(kept);
    write(key, JSON.stringify(kept));
    return kept;
  }
  return new Promise((resolve, reject) => {
    const transaction = base.transaction("kept", "readwrite");
    const store = transaction.objectStore("kept");
    const request = store.get(key);
    let kept;
    request.onsuccess = () => { kept = request.result || {}; how(kept); store.put(kept, key); };
    transaction.oncomplete = () => resolve(kept);
    transaction.onabort = () => reject(new Error("the browser kept nothing"));
  });
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
