"use strict";
/* The wall: posters in rows of which only those near the window exist, and one video for all of
   them, which moves to the card that is hovered or focused. */

const Wall = { list: [], at: 0, selected: new Set(), anchor: 0, pool: [], columns: 4, rowHeight: 300 };
const GAP = 20, MARGIN_ROWS = 2, PLAY_AFTER_MS = 120, SMALLEST = 250, TEXT_HEIGHT = 92;

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

/* Show a list of cards; the focus stays on the card that had it, if it is still there. */
Wall.show = function (list, { keep = true } = {}) {
  const card = keep ? Wall.list[Wall.at] : undefined;
  Wall.list = list;
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
  const rows = Math.ceil(Wall.list.length / Wall.columns);
  Wall.canvas.style.height = `${Math.max(0, rows * Wall.rowHeight - GAP)}px`;
  Wall.draw();
};

/* Have the rows near the window exist: cards that left it are taken again for those that came. */
Wall.draw = function () {
  if (Wall.section.hidden) return;
  const top = Wall.canvas.getBoundingClientRect().top;
  const first = Math.max(0, Math.floor(-top / Wall.rowHeight) - MARGIN_ROWS);
  const last = Math.ceil((innerHeight - top) / Wall.rowHeight) + MARGIN_ROWS;
  const from = first * Wall.columns;
  const to = Math.min(Wall.list.length, last * Wall.columns);
  const needed = Math.max(0, to - from);
  while (Wall.pool.length < needed) Wall.pool.push(newCard());
  while (Wall.pool.length > needed + Wall.columns * MARGIN_ROWS) Wall.pool.pop().root.remove();
  const taken = new Map();
  const free = [];
  for (const slot of Wall.pool) {
    if (slot.index >= from && slot.index < to && slot.card === Wall.list[slot.index]) taken.set(slot.index, slot);
    else free.push(slot);
  }
  for (let index = from; index < to; index++) {
    const slot = taken.get(index) || free.pop();
    if (!slot) continue;
    fill(slot, index);
  }
  for (const slot of free) {
    slot.root.hidden = true;
    slot.index = -1;
  }
  const focused = Wall.pool.find((slot) => slot.index === Wall.at);
  if (focused) Wall.canvas.setAttribute("aria-activedescendant", focused.root.id);
};

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
  slot.root = make("div", { class: "card", role: "option", id: `card-${made++}` }, slot.frame,
    make("div", { class: "text" }, slot.key, slot.title, slot.chips));
  slot.poster.addEventListener("error", () => (slot.poster.hidden = true));
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

function fill(slot, index) {
  const card = Wall.list[index];
  const take = Review.latest(card);
  const standing = Review.standing(card);
  const { root } = slot;
  slot.index = index;
  slot.card = card;
  root.hidden = false;
  const row = Math.floor(index / Wall.columns), column = index % Wall.columns;
  root.style.width = `${Wall.width}px`;
  root.style.height = `${Wall.height}px`;
  root.style.transform = `translate(${column * (Wall.width + GAP)}px, ${row * Wall.rowHeight}px)`;
  root.dataset.standing = standing;
  root.classList.toggle("focused", index === Wall.at);
  root.classList.toggle("selected", Wall.selected.has(card));
  root.setAttribute("aria-selected", Wall.selected.has(card));
  root.setAttribute("aria-setsize", Wall.list.length);
  root.setAttribute("aria-posinset", index + 1);
  source(slot.poster, take ? posterAddress(take) : "");
  const picture = card.pictures.find((one) => one.file);
  source(slot.inset, picture ? pictureAddress(picture.file) : "");
  slot.blank.textContent = take ? "" : card.error || card.state || "not made";
  slot.badge.textContent = { approve: "✓ approved", reject: "✕ rejected" }[standing] || "";
  slot.badge.hidden = !slot.badge.textContent;
  const takes = card.takes.length > 1 ? ` · take ${take.number}` : "";
  slot.length.textContent = take ? `${duration(take.duration)}${takes}` : "";
  slot.length.hidden = !take;
  slot.key.textContent = card.key;
  slot.title.textContent = card.title || card.prompt;
  root.setAttribute("aria-label", describe(card, standing));
  const said = Review.said(card, take);
  const chips = take ? take.chips.map((text) => make("span", { class: "chip", text })) : [];
  if (said && said.reason) chips.unshift(make("span", { class: "chip bad", text: said.reason }));
  if (said && said.note) chips.push(make("span", { class: "chip other", text: said.note }));
  if (said && said.prompt) chips.push(make("span", { class: "chip other", text: "new prompt" }));
  slot.chips.replaceChildren(...chips);
}

function describe(card, standing) {
  const words = { approve: "approved", reject: "rejected", open: "to review", none: card.state || "not made" };
  const take = Review.latest(card);
  const chips = take && take.chips.length ? `, ${take.chips.join(", ")}` : "";
  return `${card.key}, ${card.title || card.prompt}, ${words[standing]}${chips}`;
}

/* The one video of the wall moves to a card and plays there, if the hand stays. */
let playTimer = 0;
Wall.play = function (slot) {
  clearTimeout(playTimer);
  const take = slot && slot.card && Review.latest(slot.card);
  if (!take || CALM.matches) return;
  playTimer = setTimeout(() => {
    if (slot.index < 0 || !slot.root.isConnected || Wall.section.hidden) return;
    Wall.video.setAttribute("src", videoAddress(take));
    slot.poster.after(Wall.video);
    Wall.video.play().catch(() => {});
  }, PLAY_AFTER_MS);
};

Wall.stop = function () {
  clearTimeout(playTimer);
  Wall.video.pause();
  Wall.video.removeAttribute("src");
  Wall.video.remove();
};

Wall.card = () => Wall.list[Wall.at];

Wall.focus = function (index, { scroll = true } = {}) {
  Wall.at = Math.max(0, Math.min(Wall.list.length - 1, index));
  if (scroll) {
    const top = Wall.canvas.getBoundingClientRect().top + scrollY;
    const y = top + Math.floor(Wall.at / Wall.columns) * Wall.rowHeight;
    const head = document.getElementById("head").offsetHeight;
    if (y - head - GAP < scrollY) scrollTo(0, y - head - GAP);
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
  const page = Math.max(1, Math.floor(innerHeight / Wall.rowHeight) - 1) * Wall.columns;
  const steps = {
    ArrowLeft: -1, ArrowRight: 1, ArrowUp: -Wall.columns, ArrowDown: Wall.columns,
    PageUp: -page, PageDown: page, Home: -Wall.list.length, End: Wall.list.length,
  };
  const before = Wall.at;
  Wall.focus(Wall.at + steps[name]);
  if (extend) {
    const [from, to] = [Math.min(before, Wall.at), Math.max(before, Wall.at)];
    for (let i = from; i <= to; i++) Wall.selected.add(Wall.list[i]);
    App.refresh();
  } else {
    Wall.anchor = Wall.at;
  }
};
