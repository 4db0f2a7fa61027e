/** The parts of the chat that stand above what one writes. */
import { write } from "./keeping.js";
import { spoken } from "./lines.js";
import { sign } from "./look.js";
import { make } from "./markdown.js";
import { TEXTS } from "./texts.js";

/** The first character, however many units it has. */
const initial = (words) => Array.from(words)[0].toUpperCase();

/** Who one talks with, how things stand, and what one may choose. */
export function header(chat) {
  const made = make("header");
  const face = spoken(make("div"), (node) => { node.textContent = initial(chat.label); });
  face.className = "face";
  face.setAttribute("aria-hidden", "true");
  const who = make("div");
  who.className = "who";
  chat.state = make("div");
  chat.state.setAttribute("role", "status");
  chat.state.dataset.testid = "state";
  chat.state.append(make("i"), spoken(make("span"), (node) => { node.textContent = chat.text(chat.lastState || "connecting"); }));
  who.append(spoken(make("h2"), (node) => { node.textContent = chat.label; node.title = chat.label; }), chat.state);
  made.append(face, who, chooser(chat), chat.button("theme", () => chat.turn()), chat.button("fresh", () => chat.renew()));
  return made;
}

function chooser(chat) {
  const made = chat.labelled(make("select"), "language");
  made.dataset.testid = "language";
  for (const [code, words] of Object.entries(TEXTS)) {
    const option = make("option", words.name);
    option.value = code;
    option.lang = code;
    made.append(option);
  }
  made.addEventListener("change", () => { write("parley-language", made.value); chat.speak(made.value); });
  chat.chooser = made;
  const holder = make("div");
  holder.className = "chooser";
  holder.append(made, sign("language"));
  return holder;
}

/** Where the lines go; what is below them: that somebody writes, and suggestions. */
export function room(chat) {
  chat.log = chat.labelled(make("div"), "log");
  chat.log.className = "log";
  chat.log.setAttribute("role", "log");
  chat.log.setAttribute("aria-live", "polite");
  chat.log.tabIndex = 0;
  chat.log.dataset.testid = "log";
  chat.log.addEventListener("scroll", () => chat.showLatest());
  new ResizeObserver(() => chat.follow()).observe(chat.log);
  chat.typing = make("div");
  chat.typing.className = "line";
  chat.typing.hidden = true;
  chat.typing.dataset.testid = "typing";
  const dots = make("div");
  dots.className = "bubble typing";
  const words = spoken(make("span"), (node) => { node.textContent = `${chat.label} ${chat.text("typing")}`; });
  words.className = "quiet";
  dots.append(make("i"), make("i"), make("i"), words);
  chat.typing.append(dots);
  chat.chips = chat.labelled(make("div"), "suggestions");
  chat.chips.className = "chips";
  chat.chips.setAttribute("role", "group");
  chat.chips.dataset.testid = "suggestions";
  chat.log.append(chat.typing, chat.chips);
  chat.latest = chat.button("latest", () => { chat.toEnd(); chat.input.focus(); });
  chat.latest.hidden = true;
  const holder = make("div");
  holder.className = "holder";
  holder.append(chat.log, chat.latest);
  return holder;
}
