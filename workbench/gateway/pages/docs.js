"use strict";
// Everything shown here is made of text nodes: nothing an author wrote is ever read as HTML.

const KEY = "workbench-token";
const METHODS = ["get", "post", "put", "patch", "delete"];
const AGENTS = "your agents";
const $ = (id) => document.getElementById(id);
let spec = {};

function make(kind, options = {}, ...children) {
  const { data, ...properties } = options;
  const node = Object.assign(document.createElement(kind), properties);
  Object.assign(node.dataset, data || {});
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function resolved(schema) {
  let found = schema || {};
  for (let hops = 0; found && found.$ref && hops < 20; hops += 1) {
    const path = found.$ref.slice(2).split("/");
    const key = (part) => decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    found = path.reduce((at, part) => (at || {})[key(part)], spec);
  }
  return found && typeof found === "object" ? found : {};
}

// -- fields ---------------------------------------------------------------------------------

function kinds(schema) {
  const branches = schema.anyOf || [schema];
  return branches.flatMap((one) => resolved(one).type || []).filter((kind) => kind !== "null");
}

function choices(schema) {
  const branches = [schema, ...(schema.anyOf || []).map(resolved)];
  const found = branches.map((one) => one.enum).find(Array.isArray);
  return kinds(schema).join() === "boolean" ? [true, false] : found;
}

function control(schema) {
  const known = choices(schema);
  if (known) {
    const options = known.map((one) => make("option", { value: JSON.stringify(one) }, String(one)));
    const untouched = schema.default === undefined ? "–" : `– (${schema.default})`;
    return make("select", {}, make("option", { value: "" }, untouched), ...options);
  }
  const kind = kinds(schema);
  if (kind.length === 1 && (kind[0] === "integer" || kind[0] === "number")) {
    const input = make("input", { type: "number", step: kind[0] === "integer" ? "1" : "any" });
    if (Number.isFinite(schema.minimum)) input.min = schema.minimum;
    if (Number.isFinite(schema.maximum)) input.max = schema.maximum;
    return input;
  }
  if (kind.length === 1 && kind[0] === "string") return make("input", { type: "text" });
  return make("textarea", { placeholder: kind.length === 0 || kind.includes("string") ? "JSON or text" : "JSON" });
}

function spoken(schema) {
  const known = choices(schema);
  const kind = kinds(schema).join(" or ") || "any value";
  return known && kind !== "boolean" ? "one of these" : kind;
}

// One field: where it goes, what it may be, and what stands in it.
function field(name, where, declared, required, help) {
  const schema = resolved(declared);
  const input = control(schema);
  input.id = `field-${field.count = (field.count || 0) + 1}`;
  input.name = name;
  input.required = required;
  input.spellcheck = false;
  if (input.tagName !== "SELECT" && (schema.default ?? null) !== null) {
    input.placeholder = typeof schema.default === "string" ? schema.default : JSON.stringify(schema.default);
  }
  const value = () => {
    if (input.value === "") return undefined;
    if (input.tagName === "SELECT") return JSON.parse(input.value);
    if (input.type === "number") return Number(input.value);
    if (input.type === "text") return input.value;
    try {
      return JSON.parse(input.value);
    } catch (error) {
      if (kinds(schema).length === 0 || kinds(schema).includes("string")) return input.value;
      throw new Error(`${name} is no JSON: ${error.message}`);
    }
  };
  const label = make("label", { htmlFor: input.id }, name,
    required ? make("span", { className: "need", title: "required" }, " *") : null,
    make("small", {}, where === "body" || where === "query" ? spoken(schema) : `${spoken(schema)}, ${where}`));
  const text = help || schema.description;
  const cell = make("div", {}, input, text ? make("span", { className: "help" }, text) : null);
  return { name, where, value, input, nodes: [label, cell] };
}

function bodyFields(body) {
  if (!body) return [];
  const [media, content] = Object.entries(body.content)[0];
  const schema = resolved(content.schema);
  if (media === "application/octet-stream") {
    const input = make("input", { type: "file", id: `field-${field.count = (field.count || 0) + 1}` });
    const label = make("label", { htmlFor: input.id }, "file");
    return [{ name: "file", where: "file", input, media, value: () => input.files[0], nodes: [label, make("div", {}, input)] }];
  }
  const names = Object.entries(schema.properties || {});
  if (media === "application/json" && (names.length || schema.additionalProperties === false)) {
    const required = schema.required || [];
    return names.map(([name, one]) => field(name, "body", one, required.includes(name)));
  }
  const whole = field("body", "whole", { description: schema.description }, body.required);
  whole.media = media;
  return [whole];
}

// -- one call -------------------------------------------------------------------------------

function request(method, path, fields, body) {
  const query = new URLSearchParams();
  const headers = {};
  let target = path;
  let sent = body && Object.keys(body.content)[0] === "application/json" ? {} : undefined;
  for (const one of fields) {
    const value = one.value();
    if (one.where === "path") {
      if (value === undefined) continue;
      const keep = one.name === "path" ? String(value).split("/") : [String(value)];
      target = target.replace(`{${one.name}}`, () => keep.map(encodeURIComponent).join("/"));
    } else if (value === undefined) continue;
    else if (one.where === "query") query.set(one.name, typeof value === "string" ? value : JSON.stringify(value));
    else if (one.where === "header") headers[one.name] = String(value);
    else if (one.where === "body") sent[one.name] = value;
    else { sent = value; headers["Content-Type"] = one.media; }
  }
  if (sent !== undefined && !(sent instanceof Blob)) {
    headers["Content-Type"] ||= "application/json";
    if (typeof sent !== "string") sent = JSON.stringify(sent);
  }
  const text = query.toString();
  return { method, target: text ? `${target}?${text}` : target, headers, body: sent };
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curl(call) {
  const lines = [`curl -sS${call.method === "GET" ? "" : ` -X ${call.method}`} ${quoted(location.origin + call.target)}`];
  lines.push(`-H "Authorization: Bearer $WORKBENCH_TOKEN"`);
  for (const [name, value] of Object.entries(call.headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (call.body instanceof Blob) lines.push(`--data-binary ${quoted(`@${call.body.name}`)}`);
  else if (call.body !== undefined) lines.push(`--data-binary ${quoted(call.body)}`);
  return lines.join(" \\\n  ");
}

function authorized(headers) {
  const token = sessionStorage.getItem(KEY);
  return token ? { ...headers, Authorization: `Bearer ${token}` } : headers;
}

function painted(value) {
  const text = JSON.stringify(value, null, 2);
  if (text.length > 200000) return [text];
  const pieces = text.matchAll(/("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d[\d.eE+-]*)|(true|false|null)|[^"\d\-tfn]+|./g);
  return Array.from(pieces, ([all, string, colon, number, word]) => {
    if (string) return make("span", {}, make("span", { className: colon ? "key" : "string" }, string), colon || "");
    if (number) return make("span", { className: "number" }, all);
    return word ? make("span", { className: "word" }, all) : all;
  });
}

async function showBody(answer, media, pre) {
  if (media.includes("json")) {
    const text = await answer.text();
    try {
      pre.replaceChildren(...painted(JSON.parse(text)));
    } catch {
      pre.textContent = text;
    }
  } else if (media.startsWith("text/")) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      pre.append(next.value);
      pre.scrollTop = pre.scrollHeight;
    }
  } else {
    const content = await answer.blob();
    pre.textContent = `${content.size} bytes of ${media || "something"}`;
  }
}

async function send(call, place, button, stop) {
  const began = performance.now();
  const breaker = new AbortController();
  const status = make("span", { className: "status" }, "…");
  const took = make("span", { className: "quiet" });
  const headers = make("pre");
  const pre = make("pre", { className: "body", tabIndex: 0 });
  const more = make("details", {}, make("summary", {}, "Headers"), headers);
  place.hidden = false;
  place.replaceChildren(make("div", { className: "row" }, status, took), pre, more);
  button.disabled = true;
  stop.hidden = false;
  stop.onclick = () => breaker.abort();
  try {
    const answer = await fetch(call.target, {
      method: call.method, headers: authorized(call.headers), body: call.body,
      signal: breaker.signal, credentials: "omit", cache: "no-store",
    });
    status.textContent = `${answer.status} ${answer.statusText}`;
    status.classList.add(answer.ok ? "good" : "bad");
    headers.textContent = Array.from(answer.headers, ([name, value]) => `${name}: ${value}`).join("\n");
    await showBody(answer, answer.headers.get("Content-Type") || "", pre);
  } catch (error) {
    if (error.name !== "AbortError") {
      status.textContent = "No answer";
      status.classList.add("bad");
      pre.textContent = error.message;
    }
  } finally {
    took.textContent = `${Math.round(performance.now() - began)} ms`;
    button.disabled = false;
    stop.hidden = true;
  }
}

// -- the page -------------------------------------------------------------------------------

function grid(fields) {
  return fields.length ? make("div", { className: "fields" }, ...fields.flatMap((one) => one.nodes)) : null;
}

function routeBody(method, path, operation) {
  const parameters = (operation.parameters || []).map(resolved).map((one) => field(one.name, one.in,
    one.schema || Object.values(one.content)[0].schema, Boolean(one.required), one.description));
  const own = bodyFields(operation.requestBody);
  const fields = [...parameters, ...own];
  // Of an agent's form only what it takes is in sight, and what must be said.
  const behind = operation["x-agent"] ? parameters.filter((one) => !one.input.required) : [];
  const ahead = [...own, ...parameters].filter((one) => !behind.includes(one));
  const line = make("pre");
  const place = make("div", { className: "answer", hidden: true, ariaLive: "polite" });
  const button = make("button", {}, operation["x-agent"] ? "Run" : "Send");
  const stop = make("button", { type: "button", className: "plain", hidden: true }, "Stop");
  const copy = make("button", { type: "button", className: "plain", title: "Copy the curl line" }, "Copy");
  const current = () => request(method, path, fields, operation.requestBody);
  const refresh = () => {
    try {
      line.textContent = curl(current());
    } catch (error) {
      line.textContent = `# ${error.message}`;
    }
  };
  const form = make("form", { autocomplete: "off" }, make("div", { className: "inside" },
    operation.description ? make("p", {}, operation.description) : null,
    grid(operation["x-agent"] ? ahead : fields),
    behind.length ? make("details", { className: "more" }, make("summary", {}, "How to run it"), grid(behind)) : null,
    make("div", { className: "curl" }, line, copy),
    make("div", { className: "row" }, button, stop, make("span", { className: "codes" },
      `answers ${Object.keys(operation.responses).join(", ")}`)),
    place));
  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      send(current(), place, button, stop);
    } catch (error) {
      place.hidden = false;
      place.replaceChildren(make("span", { className: "status bad" }, error.message));
    }
  });
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(line.textContent);
    copy.textContent = "Copied";
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  refresh();
  return form;
}

function routeNode(method, path, operation) {
  const agent = operation["x-agent"];
  const says = agent ? (operation.description || "").split("\n")[0] : operation.summary;
  const node = make("details", {
    className: agent ? "route agent" : "route",
    data: { words: `${method} ${path} ${says}`.toLowerCase(), operation: operation.operationId },
  }, make("summary", {},
    make("span", { className: `method ${method}` }, method),
    make("span", { className: "path" }, agent ? agent.address : path),
    agent ? make("span", { className: "tag" }, agent.version || "draft") : null,
    make("span", { className: "says" }, says)));
  // A form is made when somebody looks: there may be hundreds.
  node.addEventListener("toggle", () => {
    if (node.open && node.childElementCount === 1) node.append(routeBody(method, path, operation));
  });
  return node;
}

function grouped() {
  const groups = new Map([[AGENTS, []]]);
  for (const [path, methods] of Object.entries(spec.paths)) {
    for (const method of METHODS.filter((one) => methods[one])) {
      const operation = methods[method];
      if (operation["x-agent"] && method === "get") continue;
      const group = operation["x-agent"] ? AGENTS : operation.tags[0];
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(routeNode(method.toUpperCase(), path, operation));
    }
  }
  return groups;
}

function show() {
  const sections = [];
  const contents = [];
  for (const [name, nodes] of grouped()) {
    if (!nodes.length) continue;
    const id = name.replaceAll(" ", "-");
    sections.push(make("section", {}, make("h2", { id }, name), ...nodes));
    contents.push(make("li", {}, make("a", { href: `#${id}` }, name, make("small", {}, String(nodes.length)))));
  }
  $("version").textContent = spec.info.version;
  $("sections").replaceChildren(...sections);
  $("contents").replaceChildren(...contents);
  filter();
}

function filter() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const node of document.querySelectorAll("details.route")) {
    node.hidden = !words.every((word) => node.dataset.words.includes(word));
  }
  for (const section of document.querySelectorAll("section")) {
    section.hidden = !section.querySelector("details.route:not([hidden])");
  }
}

async function load() {
  const who = $("who");
  const answer = await fetch("/openapi.json", { headers: authorized({}), credentials: "omit" });
  const content = await answer.json();
  who.classList.toggle("bad", !answer.ok);
  if (!answer.ok) {
    who.textContent = content.error.message;
    sessionStorage.removeItem(KEY);
    if (!spec.paths) await load();
    who.textContent = content.error.message;
    who.classList.add("bad");
    return;
  }
  spec = content;
  const count = Object.values(spec.paths).filter((path) => path.post && path.post["x-agent"]).length;
  who.textContent = sessionStorage.getItem(KEY) ? `${count} agent${count === 1 ? "" : "s"} to run` : "";
  show();
}

$("door").addEventListener("submit", (event) => {
  event.preventDefault();
  const token = $("token").value.trim();
  if (token) sessionStorage.setItem(KEY, token);
  else sessionStorage.removeItem(KEY);
  $("token").value = "";
  load();
});
$("filter").addEventListener("input", filter);
load();
