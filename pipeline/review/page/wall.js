"use strict";
/* The wall: posters in lines of which only those near the window exist, under a heading for each
   group, and one video for all of them, which moves to the card that is hovered or focused. */

const Wall = { list: [], sections: [], lines: [], at: 0, selected: new Set(), anchor: 0, pool: [], headings: new Map(), columns: 4 };
const GAP = 20, MARGIN_ROWS = 2, PLAY_AFTER_MS = 120, SMALLEST = 284, TEXT_HEIGHT = 92, HEADING_HEIGHT = 52;

Wall.start = function () {
  Wall.section = document.getElementById("wall");
  Wall.canvas = make("div", {
    id: "cards", role: "listbox", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Videos",
  });
  Wall.empty = make("p", { class: "notice", text: "" });
  Wall.section.append(Wall.canvas, Wall.empty);
  Wall.video = make("video", { muted: true, loop: true, playsinline: true, tabindex: "-1", "aria-hidden": "true" });
  Wall.video.muted = true;
  Wall.video.addEventListener("error", () => Wall.video.remove());
  let wanted = false;
  const draw = () => {
    if (wanted) return;
    wanted = true;
    requestAnimationFrame(() => {
      wanted = false;
      Wall.draw();
    });
  };
  addEventListener("scroll", draw, { passive: true });
  addEventListener("resize", () => Wall.measure());
  Wall.canvas.addEventListener("focus", () => Wall.focus(Wall.at, { scroll: false }));
};

/* Show a list of cards; the focus stays on the card that had it, if it is still there. `sections`
   say where in the list a group begins, what it is called and how many it has. */
Wall.show = function (list, { keep = true, sections = [] } = {}) {
  const card = keep ? Wall.list[Wall.at] : undefined;
  Wall.list = list;
  Wall.sections = sections;
  const found = card ? list.indexOf(card) : -1;
  Wall.at = found >= 0 ? found : Math.min(keep ? Wall.at : 0, Math.max(0, list.length - 1));
  Wall.selected.clear();
  Wall.empty.hidden = list.length > 0;
  Wall.empty.textContent = Review.cards.length ? "Nothing here." : "No rows yet.";
  Wall.measure();
};

Wall.measure = function () {
  const width = Wall.canvas.clientWidth;
  if (!width) return;
  Wall.columns = Math.max(1, Math.floor((width + GAP) / (SMALLEST + GAP)));
  Wall.width = (width - GAP * (Wall.columns - 1)) / Wall.columns;
  Wall.height = Math.round((Wall.width * 9) / 16) + TEXT_HEIGHT;
  Wall.rowHeight = Wall.height + GAP;
  Wall.lines = [];
  let y = 0;
  const sections = Wall.sections.length ? Wall.sections : [{ from: 0, to: Wall.list.length }];
  for (const section of sections) {
    if (section.name !== undefined) y += HEADING_HEIGHT;
    for (let from = section.from; from < section.to; from += Wall.columns) {
      Wall.lines.push({ y, from, to: Math.min(section.to, from + Wall.columns), section: from === section.from ? section : null });
      y += Wall.rowHeight;
    }
  }
  Wall.canvas.style.height = `${Math.max(0, y - GAP)}px`;
  Wall.layout = (Wall.layout || 0) + 1;
  Wall.draw();
};

/* The first line for which something holds that holds for all behind it. */
function firstLine(holds) {
  let low = 0, high = Wall.lines.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(Wall.lines[middle])) high = middle;
    else low = middle + 1;
  }
  return low;
}

const lineOf = (index) => Math.max(0, firstLine((line) => line.to > index));

/* Have the lines near the window exist: cards that left it are taken again for those that came. */
Wall.draw = function () {
  if (Wall.section.hidden) return;
  const top = Wall.canvas.getBoundingClientRect().top;
  const first = Math.max(0, firstLine((line) => line.y + Wall.rowHeight > -top) - MARGIN_ROWS);
  const last = Math.min(Wall.lines.length, firstLine((line) => line.y > innerHeight - top) + MARGIN_ROWS);
  const from = first < last ? Wall.lines[first].from : 0;
  const to = first < last ? Wall.lines[last - 1].to : 0;
  const needed = to - from;
  while (Wall.pool.length < needed) Wall.pool.push(newCard());
  while (Wall.pool.length > needed + Wall.columns * MARGIN_ROWS) Wall.pool.pop().root.remove();
  const taken = new Map();
  const free = [];
  for (const slot of Wall.pool) {
    if (slot.index >= from && slot.index < to && slot.card === Wall.list[slot.index]) taken.set(slot.index, slot);
    else free.push(slot);
  }
  for (let line = first; line < last; line++) {
    for (let index = Wall.lines[line].from; index < Wall.lines[line].to; index++) {
      const slot = taken.get(index) || free.pop();
      if (slot) fill(slot, index, Wall.lines[line]);
    }
  }
  for (const slot of free) {
    if (slot.index >= 0) slot.root.hidden = true;
    slot.index = -1;
  }
  drawHeadings(first, last);
  const focused = Wall.pool.find((slot) => slot.index === Wall.at);
  if (focused && Wall.canvas.getAttribute("aria-activedescendant") !== focused.root.id) {
    Wall.canvas.setAttribute("aria-activedescendant", focused.root.id);
  }
};

function drawHeadings(first, last) {
  const shown = new Set();
  for (let line = first; line < last; line++) {
    const { section, y } = Wall.lines[line];
    if (!section || section.name === undefined) continue;
    shown.add(section);
    if (!Wall.headings.has(section)) Wall.headings.set(section, newHeading(section));
    Wall.headings.get(section).style.transform = `translateY(${y - HEADING_HEIGHT}px)`;
  }
  for (const [section, heading] of Wall.headings) {
    if (shown.has(section)) continue;
    heading.remove();
    Wall.headings.delete(section);
  }
}

function newHeading(section) {
  const select = make("button", { type: "button", tabindex: "-1", class: "plain", text: "Select", on: { click: () => {
    for (let index = section.from; index < section.to; index++) Wall.selected.add(Wall.list[index]);
    Wall.canvas.focus({ preventScroll: true });
    App.refresh();
  } } });
  const heading = make("div", { class: "heading", role: "presentation" },
    make("h2", { text: section.name }), make("span", { class: "quiet", text: (section.to - section.from).toLocaleString("en") }), select);
  Wall.canvas.append(heading);
  return heading;
}

let made = 0;
function newCard() {
  const slot = { index: -1 };
  slot.poster = make("img", { class: "poster", alt: "", decoding: "async" });
  slot.inset = make("img", { class: "inset", alt: "", decoding: "async" });
  slot.badge = make("span", { class: "badge" });
  slot.length = make("span", { class: "length" });
  slot.blank = make("span", { class: "blank" });
  slot.frame = make("div", { class: "frame" }, slot.blank, slot.poster, slot.inset, slot.badge, slot.length);
  slot.key = make("b", { class: "key" });
  slot.title = make("span", { class: "title" });
  slot.chips = make("span", { class: "chips" });
  slot.tick = make("span", { class: "tick", text: "✓" });
  slot.root = make("div", { class: "card", role: "option", id: `card-${made++}` }, slot.frame, slot.tick,
    make("div", { class: "text" }, slot.key, slot.title, slot.chips));
  slot.poster.addEventListener("error", () => {
    slot.poster.hidden = true;
    slot.blank.hidden = false;
  });
  slot.inset.addEventListener("error", () => (slot.inset.hidden = true));
  slot.root.addEventListener("click", (event) => Wall.click(slot.index, event));
  slot.root.addEventListener("pointerenter", () => Wall.play(slot));
  Wall.canvas.append(slot.root);
  return slot;
}

function source(image, path) {
  if (image.getAttribute("src") === path) return;
  if (path) image.setAttribute("src", path);
  else image.removeAttribute("src");
  image.hidden = !path;
}

/* Give a card its content and its place; as long as nothing of it has changed, only the place. */
function fill(slot, index, line) {
  const card = Wall.list[index];
  const { root } = slot;
  if (slot.index !== index || slot.layout !== Wall.layout || slot.card !== card) {
    root.style.width = `${Wall.width}px`;
    root.style.height = `${Wall.height}px`;
    root.style.transform = `translate(${(index - line.from) * (Wall.width + GAP)}px, ${line.y}px)`;
    root.setAttribute("aria-posinset", index + 1);
    if (slot.layout !== Wall.layout) root.setAttribute("aria-setsize", Wall.list.length);
    root.hidden = false;
    slot.layout = Wall.layout;
  }
  slot.index = index;
  root.classList.toggle("focused", index === Wall.at);
  const selected = Wall.selected.has(card);
  root.classList.toggle("selected", selected);
  if (slot.selected !== selected) root.setAttribute("aria-selected", selected);
  slot.selected = selected;
  if (slot.card === card && slot.version === Review.version) return;
  slot.card = card;
  slot.version = Review.version;
  draw(slot, card);
}

function draw(slot, card) {
  const take = Review.latest(card);
  const standing = Review.standing(card);
  slot.root.dataset.standing = standing;
  source(slot.poster, posterAddress(card, take));
  slot.frame.classList.toggle("tall", Boolean(take) && take.height > take.width);
  const picture = card.pictures.find((one) => one.file);
  source(slot.inset, picture ? pictureAddress(card, picture.file) : "");
  slot.blank.hidden = !slot.poster.hidden;
  slot.blank.textContent = take ? card.prompt : card.error || card.state || "not made";
  slot.badge.textContent = { approve: "✓ approved", reject: "✕ rejected" }[standing] || "";
  slot.badge.hidden = !slot.badge.textContent;
  const takes = card.takes.length > 1 ? ` · take ${take.number}` : "";
  slot.length.textContent = take ? `${duration(take.duration)}${takes}` : "";
  slot.length.hidden = !take;
  slot.key.textContent = card.key;
  slot.title.textContent = card.title || card.prompt;
  slot.root.setAttribute("aria-label", describe(card, standing));
  const said = Review.said(card, take);
  const chips = take ? take.chips.map((text) => make("span", { class: "chip", text })) : [];
  if (said && said.reason) chips.unshift(make("span", { class: "chip bad", text: said.reason }));
  if (said && said.note) chips.push(make("span", { class: "chip other", text: said.note }));
  if (said && said.prompt) chips.push(make("span", { class: "chip other", text: "new prompt" }));
  if (!chips.length && card.title && Review.manifest(card).rehearsal) chips.push(make("span", { class: "words", text: card.prompt }));
  slot.chips.replaceChildren(...chips);
}

function describe(card, standing) {
  const words = { approve: "approved", reject: "rejected", open: "to review", none: card.state || "not made" };
  const take = Review.latest(card);
  const chips = take && take.chips.length ? `, ${take.chips.join(", ")}` : "";
  return `${card.key}, ${card.title || card.prompt}, ${words[standing]}${chips}`;
}

/* The one video of the wall moves to a card and plays there, if the hand stays. */
let playTimer = 0, toPlay = null;
Wall.play = function (slot) {
  forgetPlay();
  const take = slot && slot.card && Review.latest(slot.card);
  if (!take || CALM.matches) return;
  toPlay = () => {
    forgetPlay();
    if (slot.index < 0 || !slot.root.isConnected || Wall.section.hidden) return;
    Wall.video.setAttribute("src", videoAddress(slot.card, take));
    slot.poster.after(Wall.video);
    Wall.video.play().catch(() => {});
  };
  playTimer = setTimeout(toPlay, PLAY_AFTER_MS);
};

function forgetPlay() {
  clearTimeout(playTimer);
  toPlay = null;
}

/* By hand: what is about to play by itself plays at once, or not at all where this one is paused. */
Wall.playOrPause = function () {
  const next = toPlay;
  forgetPlay();
  if (!Wall.video.paused) Wall.video.pause();
  else if (next) next();
  else Wall.video.play().catch(() => {});
};

Wall.stop = function () {
  forgetPlay();
  Wall.video.pause();
  Wall.video.removeAttribute("src");
  Wall.video.remove();
};

Wall.card = () => Wall.list[Wall.at];

Wall.focus = function (index, { scroll = true } = {}) {
  Wall.at = Math.max(0, Math.min(Wall.list.length - 1, index));
  if (scroll) {
    const top = Wall.canvas.getBoundingClientRect().top + scrollY;
    const line = Wall.lines[lineOf(Wall.at)] || { y: 0, section: null };
    const y = top + line.y;
    const above = App.headHeight() + GAP + (line.section && line.section.name !== undefined ? HEADING_HEIGHT : 0);
    if (y - above < scrollY) scrollTo(0, y - above);
    else if (y + Wall.height + GAP > scrollY + innerHeight) scrollTo(0, y + Wall.height + GAP - innerHeight);
  }
  Wall.draw();
  const slot = Wall.pool.find((one) => one.index === Wall.at);
  if (slot) Wall.play(slot);
  const card = Wall.card();
  if (card) say(describe(card, Review.standing(card)));
};

Wall.click = function (index, event) {
  const card = Wall.list[index];
  if (event.shiftKey) {
    const [from, to] = [Math.min(Wall.anchor, index), Math.max(Wall.anchor, index)];
    for (let i = from; i <= to; i++) Wall.selected.add(Wall.list[i]);
  } else if (event.ctrlKey || event.metaKey) {
    Wall.toggle(card);
    Wall.anchor = index;
  } else {
    Wall.anchor = index;
    Wall.focus(index, { scroll: false });
    if (Review.latest(card)) App.openOne();
    return;
  }
  Wall.focus(index, { scroll: false });
  App.refresh();
};

Wall.toggle = function (card) {
  if (Wall.selected.has(card)) Wall.selected.delete(card);
  else Wall.selected.add(card);
};

/* The cards that a key acts on: those selected, or the focused one. */
Wall.targets = function () {
  const cards = Wall.selected.size ? [...Wall.selected] : [Wall.card()].filter(Boolean);
  return cards.filter((card) => Review.latest(card)).map((card) => [card, Review.latest(card)]);
};

Wall.move = function (name, extend) {
  const page = Math.max(1, Math.floor(innerHeight / Wall.rowHeight) - 1);
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Wall.list.length, End: Wall.list.length };
  const lines = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page };
  const before = Wall.at;
  Wall.focus(name in steps ? Wall.at + steps[name] : inLine(lines[name]));
  if (extend) {
    const [from, to] = [Math.min(before, Wall.at), Math.max(before, Wall.at)];
    for (let i = from; i <= to; i++) Wall.selected.add(Wall.list[i]);
    App.refresh();
  } else {
    Wall.anchor = Wall.at;
  }
};

/* The card so many lines further, in the same column if there is one. */
function inLine(step) {
  const line = lineOf(Wall.at);
  const target = Math.max(0, Math.min(Wall.lines.length - 1, line + step));
  if (!Wall.lines.length || target === line) return step < 0 ? 0 : Wall.list.length - 1;
  const { from, to } = Wall.lines[target];
  return Math.min(from + Wall.at - Wall.lines[line].from, to - 1);
}
