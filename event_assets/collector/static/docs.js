"use strict";

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function typeOf(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const parts = schema.anyOf || schema.oneOf;
  if (parts && !schema.type) return parts.map(typeOf).join(" | ");
  if (schema.type === "array") return typeOf(schema.items || {}) + "[]";
  return [schema.type || "any"].flat().join(" | ") + (schema.format ? ` (${schema.format})` : "");
}

function boundsOf(schema) {
  const names = ["minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "default"];
  const parts = schema.anyOf || schema.oneOf || [];
  return [schema, ...parts]
    .flatMap((part) => names.filter((name) => part[name] !== undefined && part[name] !== null).map((name) => `${name} ${part[name]}`))
    .join(", ");
}

function table(titles, rows) {
  const head = element("tr", "", ...titles.map((title) => element("th", title)));
  const lines = rows.map((row) => element("tr", "", ...row.map((cell) => element("td", "", cell))));
  return element("table", "", head, ...lines);
}

function showOperation(method, path, operation) {
  const badge = element("span", method.toUpperCase());
  badge.className = "method";
  const summary = element("summary", "", badge, element("code", path), ` ${operation.summary || ""}`);
  const box = element("details", "", summary);
  for (const paragraph of (operation.description || "").split("\n\n")) box.append(element("p", paragraph));
  if (operation.parameters) {
    box.append(element("h4", "Parameters"));
    box.append(table(["Name", "In", "Type"], operation.parameters.map((p) => [element("code", p.name), p.in, typeOf(p.schema)])));
  }
  for (const [kind, body] of Object.entries(operation.requestBody?.content || {})) {
    box.append(element("p", `Body, ${kind}: ${typeOf(body.schema)}`));
    for (const example of Object.values(body.examples || {})) box.append(element("pre", JSON.stringify(example.value, null, 2)));
  }
  box.append(element("h4", "Answers"));
  const rows = Object.entries(operation.responses).map(([status, answer]) => {
    const kinds = Object.entries(answer.content || {}).map(([kind, body]) => `${kind}: ${typeOf(body.schema)}`);
    return [element("code", status), answer.description, kinds.join(", ")];
  });
  box.append(table(["Status", "Means", "Body"], rows));
  return box;
}

function showSchema(name, schema) {
  const box = element("details", "", element("summary", "", element("code", name)), element("p", schema.description || ""));
  const required = new Set(schema.required || []);
  const rows = Object.entries(schema.properties || {}).map(([field, part]) => [
    element("code", field), typeOf(part), required.has(field) ? "required" : "", boundsOf(part), part.description || "",
  ]);
  if (rows.length) box.append(table(["Field", "Type", "", "Bounds", ""], rows));
  return box;
}

async function send() {
  const answer = document.getElementById("answer");
  const headers = { "content-type": "application/json", "x-write-key": document.getElementById("key").value.trim() };
  try {
    const response = await fetch("v1/events", { method: "POST", headers, body: document.getElementById("body").value });
    answer.textContent = `${response.status}\n${JSON.stringify(await response.json(), null, 2)}`;
  } catch (error) {
    answer.textContent = String(error);
  }
}

function newEvent(example) {
  const now = new Date().toISOString();
  return { ...example, event_id: crypto.randomUUID?.() ?? `try-${Date.now()}`, occurred_at: now, sent_at: now };
}

async function show() {
  const api = await (await fetch("openapi.json")).json();
  document.getElementById("about").textContent = `${api.info.description} Version ${api.info.version}, OpenAPI ${api.openapi}.`;
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      document.getElementById("operations").append(showOperation(method, path, operation));
    }
  }
  for (const [name, schema] of Object.entries(api.components.schemas)) document.getElementById("schemas").append(showSchema(name, schema));
  const example = api.paths["/v1/events"].post.requestBody.content["application/json"].examples.one.value;
  document.getElementById("body").value = JSON.stringify(newEvent(example), null, 2);
  document.getElementById("send").addEventListener("click", send);
}

show().catch((error) => { document.getElementById("about").textContent = String(error); });
