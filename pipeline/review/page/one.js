"use strict";
/* One row at a time: its pictures and takes at one height, the actions, the facts, the neighbours. */

const One = { card: null, number: 0, sound: false };
const FILM_RATIO = 1.778, PICTURE_RATIO = 1.333, STAGE_GAP = 14;

One.start = function () {
  One.section = document.getElementById("one");
  One.section.setAttribute("tabindex", "-1");
  One.stage = make("div", { class: "stage" });
  One.actions = make("div", { class: "row actions", role: "toolbar", "aria-label": "Decide" });
  One.count = make("span", { class: "quiet count" });
  One.key = make("b");
  One.title = make("span");
  One.takes = make("div", { class: "takes", role: "group", "aria-label": "Takes" });
  One.chips = make("div", { class: "chips" });
  One.prompt = make("p", { class: "prompt" });
  One.note = make("p", { class: "note" });
  One.strip = make("div", { class: "strip", role: "group", "aria-label": "Neighbours" });
  One.ahead = make("video", { muted: true, preload: "auto", hidden: true, "aria-hidden": "true", tabindex: "-1" });
  One.section.append(
    One.stage,
    make("div", { class: "row" }, One.actions, make("span", { class: "space" }), One.count),
    make("div", { class: "row head" }, make("h2", {}, One.key, " ", One.title), make("span", { class: "space" }), One.takes),
    One.chips, One.prompt, One.note, One.strip, One.ahead,
  );
};

One.take = () => One.card && (One.card.takes.find((take) => take.number === One.number) || Review.latest(One.card));

One.show = function (card) {
  const changed = card !== One.card;
  One.card = card;
  const last = Review.latest(card);
  if (changed) One.number = last ? last.number : 0;
  if (changed) One.fill();
  One.draw();
  if (changed) One.loadAhead();
};

/* The pictures and the takes side by side at one height; each figure is as wide as it has to be. */
One.fill = function () {
  const figures = media(One.card);
  One.stage.replaceChildren(...figures);
  fit();
};

/* The last two takes, or the one that is looked at beside the last one. */
function shownTakes(card) {
  const last = card.takes.slice(-2);
  const chosen = card.takes.find((take) => take.number === One.number);
  return !chosen || last.includes(chosen) ? last : [chosen, last[last.length - 1]];
}

/* Width by height of all figures together: what the stage has to be. */
function fit() {
  let sum = 0;
  for (const figure of One.stage.children) sum += Number(figure.dataset.ratio);
  const gaps = (One.stage.children.length - 1) * STAGE_GAP;
  One.stage.style.setProperty("--ratio", sum);
  One.stage.style.setProperty("--gaps", `${gaps}px`);
  for (const figure of One.stage.children) figure.style.setProperty("--share", figure.dataset.ratio);
}

function media(card) {
  const shown = [];
  const pictures = card.pictures.map((one, at) => pictureFigure(card, one, at));
  if (pictures.length > 2) shown.push(pictures.shift());
  if (pictures.length > 1) shown.push(make("div", { class: "pile", "data-ratio": (PICTURE_RATIO / pictures.length).toFixed(3) }, ...pictures));
  else shown.push(...pictures);
  for (const take of shownTakes(card)) shown.push(takeFigure(card, take));
  if (!card.takes.length) shown.push(make("figure", { class: "far", "data-ratio": FILM_RATIO }, make("span", { class: "address", text: card.error || card.state || "not made" })));
  return shown;
}

function pictureFigure(card, one, at) {
  const label = card.pictures.length > 1 ? `picture ${at + 1}` : "picture";
  const figure = make("figure", { class: one.file ? "" : "far", "data-ratio": one.file ? PICTURE_RATIO : 1 });
  if (one.file) {
    const image = make("img", { src: pictureAddress(card, one.file), alt: `${label} of ${card.key}` });
    image.addEventListener("load", () => {
      if (figure.parentElement !== One.stage || !image.naturalHeight) return;
      figure.dataset.ratio = (image.naturalWidth / image.naturalHeight).toFixed(3);
      fit();
    });
    figure.append(image);
  } else figure.append(make("span", { class: "address", text: one.url || one.name }));
  figure.append(make("figcaption", { text: label }));
  return figure;
}

function takeFigure(card, take) {
  const video = make("video", { src: videoAddress(card, take), loop: true, autoplay: !CALM.matches, playsinline: true, tabindex: "-1",
    poster: posterAddress(card, take) || null, "aria-label": `take ${take.number} of ${card.key}` });
  video.muted = !One.sound || take.number !== One.number;
  const ratio = take.width && take.height ? (take.width / take.height).toFixed(3) : FILM_RATIO;
  const figure = make("figure", { class: "take", "data-number": take.number, "data-ratio": ratio }, video,
    make("figcaption", { text: `take ${take.number} · ${take.duration.toFixed(1).replace(".0", "")} s · ${take.width}×${take.height}` }));
  video.addEventListener("error", () => {
    video.replaceWith(make("span", { class: "address", text: `${take.file} cannot be played here: it is missing, or the browser does not know its format.` }));
  });
  figure.addEventListener("click", () => One.choose(take.number));
  return figure;
}

One.draw = function () {
  const card = One.card;
  if (!card || One.section.hidden) return;
  const take = One.take();
  const said = Review.said(card, take) || {};
  for (const figure of One.stage.querySelectorAll(".take")) {
    const number = Number(figure.dataset.number);
    const each = card.takes.find((one) => one.number === number);
    figure.dataset.verdict = Review.verdict(card, each);
    figure.classList.toggle("chosen", card.takes.length > 1 && number === One.number);
  }
  put(One.actions, ...(App.rejecting ? reasonButtons() : actionButtons(said)));
  One.count.textContent = `${(Wall.at + 1).toLocaleString("en")} of ${Wall.list.length.toLocaleString("en")}`;
  One.key.textContent = card.key;
  One.title.textContent = card.title;
  put(One.takes, ...(card.takes.length > 1 ? card.takes.map(takeButton) : []));
  const chips = take ? take.chips.map((text) => make("span", { class: "chip", text })) : [];
  if (said.reason) chips.unshift(make("span", { class: "chip bad", text: said.reason }));
  One.chips.replaceChildren(...chips);
  One.prompt.textContent = Review.promptOf(card, take);
  const lines = [];
  if (said.note) lines.push(make("span", { text: `Comment: ${said.note}` }));
  if (said.prompt) lines.push(make("span", {}, "New prompt: ", ...marked(One.prompt.textContent, said.prompt)));
  if (said.reviewer && said.verdict) lines.push(make("span", { class: "quiet", text: `${said.verdict === "approve" ? "approved" : "rejected"} by ${said.reviewer}` }));
  One.note.replaceChildren(...lines);
  One.neighbours();
};

function marked(before, after) {
  return compare(before, after).flatMap(([text, isNew], at) => [at ? " " : "", isNew ? make("mark", { text }) : text]);
}

function actionButtons(said) {
  const button = (text, letter, kind, act, pressed) =>
    make("button", { type: "button", class: kind, "aria-pressed": pressed === undefined ? null : String(pressed), "aria-keyshortcuts": letter, on: { click: act } }, `${text} `, key(letter));
  return [
    button("Approve", "A", "good", () => App.approve(), said.verdict === "approve"),
    button("Reject", "R", "bad", () => App.reject(), said.verdict === "reject"),
    button("Comment", "C", "", () => App.comment()),
    button("Edit prompt", "E", "", () => App.editPrompt()),
    button("Undo", "Z", "", () => App.takeBack()),
  ];
}

function reasonButtons() {
  return [
    make("b", { class: "why", text: "Why?" }),
    ...REASONS.map((text, at) =>
      make("button", { type: "button", class: "reason", on: { click: () => App.reasoned(text) } }, key(String(at + 1)), ` ${text}`)),
    make("span", { class: "quiet", text: "Enter: no reason · Esc: back" }),
  ];
}

function takeButton(take) {
  return make("button", { type: "button", "aria-pressed": String(take.number === One.number), text: `Take ${take.number}`, on: { click: () => One.choose(take.number) } });
}

One.choose = function (number) {
  One.number = number;
  if (!One.stage.querySelector(`[data-number="${Number(number)}"]`)) One.fill();
  One.soundOf();
  One.draw();
};

One.otherTake = function () {
  const takes = One.card.takes;
  if (takes.length < 2) return;
  const at = takes.findIndex((take) => take.number === One.number);
  One.choose(takes[(at + 1) % takes.length].number);
  say(`take ${One.number}`);
};

/* The neighbours, so that one sees where one is. */
One.neighbours = function () {
  const from = Math.max(0, Math.min(Wall.at - 3, Wall.list.length - 11));
  const shown = Wall.list.slice(from, from + 11).map((card, at) => {
    const take = Review.latest(card);
    const path = posterAddress(card, take);
    const inside = path ? make("img", { src: path, alt: "" }) : make("span", { text: card.key });
    return make("button", { type: "button", tabindex: "-1", "aria-label": describe(card, Review.standing(card)),
      "aria-current": from + at === Wall.at ? "true" : null, "data-standing": Review.standing(card),
      on: { click: () => One.go(from + at) } }, inside);
  });
  One.strip.replaceChildren(...shown);
};

One.go = function (index) {
  if (index < 0 || index >= Wall.list.length) return;
  Wall.at = index;
  App.rejecting = null;
  One.show(Wall.list[index]);
  say(describe(One.card, Review.standing(One.card)));
};

One.loadAhead = function () {
  const next = Wall.list[Wall.at + 1];
  const take = next && Review.latest(next);
  if (take) One.ahead.setAttribute("src", videoAddress(next, take));
  else One.ahead.removeAttribute("src");
};

One.stop = function () {
  for (const video of One.stage.querySelectorAll("video")) video.pause();
  One.stage.replaceChildren();
  One.ahead.removeAttribute("src");
  One.card = null;
};

One.videos = () => [...One.stage.querySelectorAll("video")];

One.playOrPause = function () {
  const videos = One.videos();
  const paused = videos.every((video) => video.paused);
  for (const video of videos) paused ? video.play().catch(() => {}) : video.pause();
};

One.step = function (frames) {
  for (const video of One.videos()) {
    video.pause();
    video.currentTime = Math.max(0, video.currentTime + frames / 24);
  }
};

One.mute = function () {
  One.sound = !One.sound;
  One.soundOf();
  say(One.sound ? "sound on" : "sound off");
};

/* Only the take that is looked at is heard. */
One.soundOf = function () {
  for (const video of One.videos()) {
    const figure = video.closest(".take");
    video.muted = !One.sound || Number(figure.dataset.number) !== One.number;
  }
};
