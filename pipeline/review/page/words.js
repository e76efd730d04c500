"use strict";
/* Elements, texts and addresses: everything from the sheet gets in by textContent only. */

function make(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (key === "text") element.textContent = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((one) => one !== null && one !== undefined));
  return element;
}

/* Put elements in the place of others; where they look the same, Tab has not lost its place. */
function put(parent, ...children) {
  const old = [...parent.childNodes];
  const same = () => old.length === children.length && children.every((one, at) => one.isEqualNode(old[at]));
  if (!parent.querySelector(":focus-visible") || !same()) parent.replaceChildren(...children);
}

/* Each segment of a path is encoded: every name plays, whatever is in it. */
const address = (...segments) => segments.map(encodeURIComponent).join("/");
const place = (card, ...segments) => address(...(Review.manifest(card).root ? [Review.manifest(card).root] : []), ...segments);
const videoAddress = (card, take) => take.url || place(card, "videos", take.file);
const posterAddress = (card, take) => (take && take.poster ? place(card, "review", "posters", take.poster) : "");
const pictureAddress = (card, name) => place(card, "review", "pictures", name);

/* Nothing moves by itself for who wants it so. */
const CALM = matchMedia("(prefers-reduced-motion: reduce)");

const REASONS = ["wrong shape", "wrong colour", "text or logo wrong", "hands or people odd", "dull or still", "other"];
const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

function key(letter) {
  return make("kbd", { text: letter, "aria-hidden": "true" });
}

function say(text) {
  document.getElementById("live").textContent = text;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function ask(title, ...body) {
  const dialog = document.getElementById("dialog");
  dialog.replaceChildren(make("h2", { text: title }), ...body);
  if (!dialog.open) dialog.showModal();
  return dialog;
}

/* Ask for a text; `use` gets it. Ctrl+Enter takes it, Escape leaves it. */
function askText(title, { value = "", lines = 1, most = 4000, label = "", hint = "", button = "Keep", must = false }, use) {
  const field = make(lines > 1 ? "textarea" : "input", { maxlength: most, rows: lines > 1 ? lines : null, "aria-label": label || title });
  field.value = value;
  const take = () => {
    if (must && !field.value.trim()) return;
    dialog.close();
    use(field.value.trim());
  };
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (lines === 1 || event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      take();
    }
    event.stopPropagation();
  });
  const dialog = ask(
    title,
    hint ? make("p", { class: "quiet", text: hint }) : null,
    field,
    make("div", { class: "row" },
      make("button", { type: "button", class: "good", text: button, on: { click: take } }),
      must ? null : make("button", { type: "button", text: "Cancel", on: { click: () => dialog.close() } })),
  );
  // Where a text is needed, Escape leaves the question where it is.
  if (must) dialog.addEventListener("close", () => dialog.isConnected && !Review.who && askText(title, { value, lines, most, label, hint, button, must }, use), { once: true });
  field.focus();
  if (field.select && lines === 1) field.select();
}

/* The words of a new text that an old one has not, for marking: pairs of text and whether it is new.
   By the longest common subsequence; of very long texts all is new. */
function compare(before, after) {
  const a = before.split(/\s+/).filter(Boolean);
  const b = after.split(/\s+/).filter(Boolean);
  if (a.length * b.length > 400000) return [[after, true]];
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j]
        ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
    }
  }
  const found = [];
  let i = 0;
  for (let j = 0; j < b.length; j++) {
    while (i < a.length && a[i] !== b[j] && lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    const isNew = !(i < a.length && a[i] === b[j]);
    if (!isNew) i++;
    const last = found[found.length - 1];
    if (last && last[1] === isNew) last[0] += ` ${b[j]}`;
    else found.push([b[j], isNew]);
  }
  return found;
}

/* A word of a command as a shell takes it; on Windows as its command prompt does. */
function quoteWord(word, windows) {
  if (/^[\w@%+=:,.\/\-]+$/.test(word) && !word.startsWith("-")) return word;
  return windows ? `"${word.replaceAll('"', '\\"')}"` : `'${word.replaceAll("'", "'\\''")}'`;
}

const listedKey = (text) => (/^"|,/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
