/** A readable page of /openapi.json. */
import { make } from "/static/markdown.js";

const holder = document.getElementById("operations");
const filter = document.getElementById("filter");

function resolve(document_, schema) {
  if (!schema) return {};
  if (!schema.$ref) return schema;
  return schema.$ref.slice(2).split("/").reduce((at, key) => at && at[key], document_) || {};
}

function kind(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return `${kind(schema.items || {})}[]`;
  return Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type || (schema.enum ? "enum" : "object");
}

function fields(rows) {
  const table = make("table");
  table.className = "fields";
  for (const row of rows) {
    const line = make("tr");
    const name = make("th");
    name.scope = "row";
    name.append(make("code", row.name), row.required ? " *" : "");
    const type = make("td", row.type);
    type.className = "muted";
    line.append(name, type, make("td", row.description || ""));
    table.append(line);
  }
  return table;
}

function properties(document_, schema) {
  const found = resolve(document_, schema);
  return Object.entries(found.properties || {}).map(([name, value]) => ({
    name, type: kind(value), description: value.description, required: (found.required || []).includes(name),
  }));
}

function section(body, title, rows) {
  if (!rows.length) return;
  body.append(make("h3", title), fields(rows));
}

function operation(document_, method, path, item) {
  const made = make("details");
  made.className = "operation";
  made.dataset.words = `${method} ${path} ${item.summary || ""} ${item.operationId || ""}`.toLowerCase();
  const head = make("summary");
  const verb = make("span", method.toUpperCase());
  verb.className = "method";
  const words = make("span", item.summary || item.description || "");
  words.className = "muted";
  head.append(verb, make("code", path), words);
  const body = make("div");
  body.className = "body";
  if (item.description && item.description.replace(/\.$/, "") !== item.summary) body.append(make("p", item.description));
  if (item["x-parley-permission"]) body.append(make("p", `Permission: ${item["x-parley-permission"]}`));
  section(body, "Parameters", (item.parameters || []).map((given) => {
    const one = resolve(document_, given);
    return { name: one.name, type: `${one.in}, ${kind(one.schema || {})}`, description: one.description, required: one.required };
  }));
  const content = item.requestBody && resolve(document_, item.requestBody).content;
  if (content) section(body, "Body", properties(document_, Object.values(content)[0].schema));
  const good = item.responses && (item.responses["200"] || item.responses.default);
  const answer = good && resolve(document_, good).content;
  if (answer) section(body, `Answer (${Object.keys(answer).join(", ")})`, properties(document_, Object.values(answer)[0].schema));
  made.append(head, body);
  return made;
}

async function show() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) { holder.append(make("p", "The document could not be read.")); return; }
  const document_ = await answer.json();
  const groups = new Map();
  for (const [path, item] of Object.entries(document_.paths)) {
    for (const [method, one] of Object.entries(item)) {
      if (typeof one !== "object" || !one.responses) continue;
      const tag = (one.tags || ["Other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(document_, method, path, one));
    }
  }
  const rest = groups.get("Other") || [];
  groups.delete("Other");
  if (rest.length) groups.set("Other", rest);
  for (const [tag, made] of groups) {
    const group = make("section");
    group.append(make("h2", tag), ...made);
    holder.append(group);
  }
}

filter.addEventListener("input", () => {
  const words = filter.value.trim().toLowerCase();
  for (const made of holder.querySelectorAll(".operation")) made.hidden = Boolean(words) && !made.dataset.words.includes(words);
  for (const group of holder.querySelectorAll("section")) group.hidden = !group.querySelector(".operation:not([hidden])");
});
show();
