// Reads {"code", "input"} from standard input, runs it, writes {"result", "error"} to descriptor 3.
"use strict";
{  // a block: its names are not those of the code
const fs = require("node:fs");
const vm = require("node:vm");
const order = JSON.parse(fs.readFileSync(0, "utf8"));
const said = {};
const place = (error) => {
  const stack = String((error && error.stack) || "");
  const line = /code:(\d+)/.exec(stack);
  const name = (error && error.name) || "Error";
  const text = error instanceof Error || (error && error.stack) ? `${name}: ${error.message}` : String(error);
  return line ? `line ${line[1]}: ${text}` : text;
};
const fail = (error) => {
  said.error = place(error);
  process.exitCode = 1;
};
process.on("uncaughtException", fail);
process.on("exit", () => {
  try {
    const result = vm.runInThisContext("typeof result === 'undefined' ? undefined : result");
    const shown = said.promised === undefined ? result : said.promised;
    delete said.promised;
    fs.writeSync(3, JSON.stringify(shown === undefined ? said : { ...said, result: shown }));
  } catch (error) {
    fs.writeSync(3, JSON.stringify({ error: `result cannot be written as JSON: ${error.message}` }));
    process.exitCode = 1;
  }
});
globalThis.input = order.input;
globalThis.require = require;
try {
  vm.runInThisContext(order.code, { filename: "code" });
  const pending = vm.runInThisContext("typeof result === 'undefined' ? undefined : result");
  if (pending && typeof pending.then === "function") {
    pending.then((value) => { said.promised = value === undefined ? null : value; }, fail);
  }
} catch (error) {
  fail(error);
}
}
