"use strict";
/* Tabs, search, groups, orders, keys, and what they do. */

const App = { tab: "open", view: "wall", rejecting: null, list: [] };
const TABS = [
  ["open", "To review"], ["suspicious", "Suspicious"], ["approve", "Approved"], ["reject", "Rejected"],
  ["again", "Make again"], ["none", "Not made"], ["all", "All"],
];
const ORDERS = [["suspicious", "Suspicious first"], ["sheet", "Sheet order"], ["newest", "Newest first"], ["key", "By key"]];
const LISTED_VALUES = 60;
const $ = (id) => document.getElementById(id);

App.start = async function () {
  if (typeof REVIEW_DATA === "undefined") return;
  Review.load(REVIEW_DATA);
  if (!Review.served) await Review.open();
  $("unpack").remove();
  const names = Review.manifests.map((one) => one.manifest);
  const name = names.length > 1 ? `${names[0]} and ${names.length - 1} more` : names[0];
  document.title = `${name} · review`;
  $("name").textContent = name;
  $("name").setAttribute("title", names.join("\n"));
  $("head").hidden = false;
  sayUnchecked();
  Wall.start();
  One.start();
  Again.start();
  fillControls();
  listenToControls();
  Review.listeners.push(() => App.refresh());
  Review.onCards = () => App.choose({ keep: true });
  Review.onConflict = conflict;
  Review.onGone = gone;
  addEventListener("keydown", onKey);
  drawAfterPress();
  addEventListener("beforeunload", (event) => {
    if (Review.unsaved() || (!Review.served && Review.kept === false && Review.undo.length)) event.preventDefault();
  });
  if (!Review.counts().open) App.tab = "all";
  App.show("wall");
  App.choose({ keep: false });
  Wall.canvas.focus({ preventScroll: true });
  if (Review.served) Review.listen();
  if (Review.data.until) sayUntil(Review.data.until);
  if (Review.data.asks) askName();
};

/* Whose rules only a sheet of the team's own knows. */
function sayUnchecked() {
  const said = new Set(Review.manifests.flatMap((one) => one.unchecked));
  $("unchecked").append(...[...said].map((text) => make("p", { class: "notice", text })));
}

/* Addresses of videos in a bucket are signed, and end. */
function sayUntil(until) {
  const at = new Date(until * 1000).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  $("until").textContent = `videos play until ${at} at the latest`;
  $("until").hidden = false;
}

/* On a network several people use the page: each says who decides. */
function askName() {
  Review.who = Review.askedName();
  $("plainline").hidden = false;
  if (Review.who) return;
  askText("Who decides?", { most: 80, label: "Your name", hint: "Others on this network may decide as well. Your name goes with each of your decisions.", button: "Go on", must: true }, (who) => {
    Review.setName(who);
  });
}

function fillControls() {
  $("tabs").append(...TABS.map(([name, text]) =>
    make("button", { type: "button", role: "tab", "data-tab": name, on: { click: (event) => App.open(name, event.detail > 0) } }, `${text} `, make("b"))));
  const { groups } = Review.data;
  const by = groups.map((group, at) => make("option", { value: `by ${at}`, text: `By ${group.name}` }));
  const only = groups.map((group, at) => [group, at]).filter(([group]) => group.values.length <= LISTED_VALUES).map(([group, at]) =>
    make("optgroup", { label: `Only ${group.name}` }, ...group.values.map((value, index) => make("option", { value: `only ${at} ${index}`, text: value || "(empty)" }))));
  $("group").append(make("option", { value: "", text: "Not grouped" }), make("optgroup", { label: "Group" }, ...by), ...only);
  $("group").hidden = !groups.length;
  $("order").append(...ORDERS.map(([value, text]) => make("option", { value, text })));
}

function listenToControls() {
  let timer = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => App.choose({ keep: true }), 60);
  });
  $("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === "Escape" || event.key === "ArrowDown") {
      if (event.key === "Escape") $("search").value = "";
      App.choose({ keep: true });
      Wall.canvas.focus();
      event.preventDefault();
    }
    event.stopPropagation();
  });
  for (const id of ["group", "order"]) {
    $(id).addEventListener("change", () => {
      suspected.clear();
      App.choose({ keep: true });
      Wall.canvas.focus();
    });
  }
  $("tabs").addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const at = TABS.findIndex(([name]) => name === App.tab);
    App.open(TABS[(at + step + TABS.length) % TABS.length][0]);
    $("tabs").querySelector('[aria-selected="true"]').focus();
    event.stopPropagation();
    event.preventDefault();
  });
  $("save").addEventListener("click", saveFile);
  $("help").addEventListener("click", showKeys);
  $("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  $("dialog").addEventListener("close", () => {
    (App.view === "wall" ? Wall.canvas : One.section).focus({ preventScroll: true });
  });
}

/* Which cards are listed: made anew when the tab, the search, the group or the order changes, and
   not when something is decided, so that nothing jumps under the hand. */
App.choose = function ({ keep }) {
  const shown = keep ? new Set(App.list) : new Set();
  const fits = {
    open: (card) => Review.standing(card) === "open" || shown.has(card),
    suspicious: Review.suspicious,
    approve: (card) => Review.standing(card) === "approve" || shown.has(card),
    reject: (card) => Review.standing(card) === "reject" || shown.has(card),
    again: (card) => Review.standing(card) === "reject",
    none: (card) => Review.standing(card) === "none" || shown.has(card),
    all: () => true,
  }[App.tab];
  App.list = Review.cards.filter(fits);
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const [how, group, value] = $("group").value.split(" ");
  const list = App.list.filter((card) =>
    (how !== "only" || card.groups[group] === Number(value)) && words.every((word) => searchable(card).includes(word)));
  const newest = (card) => (Review.latest(card) || { at: 0 }).at || 0;
  const order = $("order").value;
  if (order === "suspicious") sortBySuspicion(list, keep);
  if (order === "newest") list.sort((a, b) => newest(b) - newest(a));
  if (order === "key") list.sort((a, b) => a.key.localeCompare(b.key, undefined, { numeric: true }));
  Wall.show(list, { keep, sections: how === "by" ? bySections(list, Number(group)) : [] });
  App.refresh();
};

/* Sort a list by the values of an own column, those without any last; return where each begins. */
function bySections(list, group) {
  const { values } = Review.data.groups[group];
  const collator = new Intl.Collator(undefined, { numeric: true });
  const order = [...values.keys()].sort((a, b) => (values[a] === "") - (values[b] === "") || collator.compare(values[a], values[b]));
  const ranks = new Map(order.map((value, rank) => [value, rank]));
  const rank = (card) => ranks.get(card.groups[group]) ?? order.length;
  list.sort((a, b) => rank(a) - rank(b));
  const sections = [];
  for (const [index, card] of list.entries()) {
    const last = sections[sections.length - 1];
    if (last && last.rank === rank(card)) last.to = index + 1;
    else sections.push({ from: index, to: index + 1, rank: rank(card), name: values[card.groups[group]] || "(empty)" });
  }
  return sections;
}

/* How much of the window the head covers. */
App.headHeight = () => (getComputedStyle($("head")).position === "sticky" ? $("head").offsetHeight : 0);

/* Suspicious ones first. What becomes suspicious while the list is shown stays where it is. */
const suspected = new Map();
function sortBySuspicion(list, keep) {
  if (!keep) suspected.clear();
  for (const card of list) {
    if (card.takes.length && !suspected.has(card.key)) suspected.set(card.key, Review.suspicious(card));
  }
  const rank = (card) => Number(suspected.get(card.key) || false);
  list.sort((a, b) => rank(b) - rank(a));
}

const searched = new WeakMap();
function searchable(card) {
  let text = searched.get(card);
  if (text === undefined) {
    text = `${card.key}\n${card.title}\n${card.prompt}`.toLowerCase();
    searched.set(card, text);
  }
  const said = Review.said(card, Review.latest(card));
  return said && (said.note || said.reason) ? `${text}\n${said.reason}\n${said.note}`.toLowerCase() : text;
}

App.open = function (tab, byHand = false) {
  App.tab = tab;
  App.rejecting = null;
  App.show("wall");
  scrollTo(0, 0);
  App.choose({ keep: false });
  if (byHand && tab !== "again") Wall.canvas.focus({ preventScroll: true });
};

App.show = function (view) {
  App.view = view;
  const again = App.tab === "again" && view === "wall";
  $("wall").hidden = view !== "wall" || again;
  $("again").hidden = !again;
  $("unchecked").hidden = view !== "wall" || !$("unchecked").firstChild;
  $("one").hidden = view !== "one";
  if (view === "one") Wall.stop();
  else One.stop();
};

App.openOne = function () {
  if (!Wall.card()) return;
  Wall.selected.clear();
  App.scrolled = scrollY;
  App.show("one");
  scrollTo(0, 0);
  One.show(Wall.card());
  One.section.focus({ preventScroll: true });
  App.refresh();
};

App.closeOne = function () {
  App.rejecting = null;
  App.show("wall");
  Wall.measure();
  scrollTo(0, App.scrolled || 0);
  Wall.focus(Wall.at);
  Wall.canvas.focus({ preventScroll: true });
  App.refresh();
};

/* Drawn once in a frame; while a mouse button or a finger is down only after it: what is replaced
   between press and release would get no click. */
let refreshing = false, pressed = false, late = false;
App.refresh = function () {
  late = pressed;
  if (refreshing || pressed) return;
  refreshing = true;
  requestAnimationFrame(() => {
    refreshing = false;
    late = pressed;
    if (pressed) return;
    const counts = Review.counts();
    drawHead(counts);
    if (App.view === "one") One.draw();
    else if (App.tab === "again") Again.draw(Wall.list.filter((card) => Review.standing(card) === "reject"));
    else Wall.draw();
    drawActions();
  });
};

function drawAfterPress() {
  const release = () => pressed && setTimeout(() => {
    pressed = false;
    if (late) App.refresh();
  });
  // A list of choices and a menu of the browser keep the release to themselves.
  addEventListener("pointerdown", (event) => (pressed = event.button === 0 && !event.target.closest("select")), true);
  for (const name of ["pointerup", "pointercancel", "keydown"]) addEventListener(name, release, true);
  addEventListener("blur", release);
}

function drawHead(counts) {
  for (const tab of $("tabs").children) {
    const name = tab.dataset.tab;
    tab.setAttribute("aria-selected", String(name === App.tab));
    tab.setAttribute("tabindex", name === App.tab ? "0" : "-1");
    tab.lastChild.textContent = counts[name].toLocaleString("en");
  }
  const made = counts.all - counts.none;
  const bar = $("progress");
  bar.setAttribute("aria-valuemax", made);
  bar.setAttribute("aria-valuenow", counts.approve + counts.reject);
  bar.children[0].style.width = made ? `${(100 * counts.approve) / made}%` : "0";
  bar.children[1].style.width = made ? `${(100 * counts.reject) / made}%` : "0";
  $("left").textContent = counts.open
    ? `${counts.open.toLocaleString("en")} left, about ${duration(counts.open * Review.pace())}`
    : made ? "all judged" : "no videos yet";
  const kept = $("kept");
  kept.classList.toggle("trouble", Boolean(Review.trouble) || Review.kept === false);
  if (Review.served) {
    const unsaved = Review.unsaved();
    kept.textContent = Review.trouble ? `${plural(unsaved, "decision")} not saved yet: ${Review.trouble}` : unsaved ? "saving…" : "saved";
  } else {
    kept.textContent = Review.kept === false
      ? "not kept by this browser: save them before you close it"
      : Review.unsaved() ? "saving…" : "kept in this browser";
  }
  $("save").hidden = Review.served;
}

function drawActions() {
  const bar = $("actions");
  const many = Wall.selected.size;
  const wall = App.view === "wall" && App.tab !== "again";
  bar.hidden = !wall || !(many || App.rejecting);
  if (bar.hidden) return;
  const count = make("b", { text: many ? `${many.toLocaleString("en")} selected` : Wall.card().key });
  put(bar, count, ...(App.rejecting ? reasonButtons() : actionButtons({})));
}

/* What the keys and buttons do. */

const targets = () => (App.view === "one" ? [[One.card, One.take()]].filter(([, take]) => take) : Wall.targets());

App.approve = function () {
  const chosen = targets();
  if (!chosen.length) return;
  App.rejecting = null;
  Review.decide(chosen, { verdict: "approve" });
  done(chosen, "approved");
};

App.reject = function () {
  const chosen = targets();
  if (!chosen.length) return;
  App.rejecting = chosen;
  say("Why? 1 to 6, Enter without a reason, Escape not at all");
  App.refresh();
};

App.reasoned = function (reason) {
  const chosen = App.rejecting;
  App.rejecting = null;
  Review.decide(chosen, { verdict: "reject", reason });
  done(chosen, "rejected");
};

/* Say it and go on to the next one; after a decision about many, stay. */
function done(chosen, word) {
  if (chosen.length > 1 || Wall.selected.size) {
    Wall.selected.clear();
    say(`${plural(chosen.length, "video")} ${word}`);
    App.refresh();
    return;
  }
  if (Wall.at + 1 >= Wall.list.length) {
    say(`${chosen[0][0].key} ${word}; that was the last one`);
    App.refresh();
  } else if (App.view === "one") One.go(Wall.at + 1);
  else Wall.focus(Wall.at + 1);
}

App.comment = function () {
  const chosen = targets();
  if (!chosen.length) return;
  const old = chosen.length === 1 ? (Review.said(...chosen[0]) || {}).note || "" : "";
  askText(chosen.length > 1 ? `A comment on ${plural(chosen.length, "video")}` : `A comment on ${chosen[0][0].key}`, { value: old, lines: 3, most: 4000 },
    (note) => Review.decide(chosen, { note }));
};

App.editPrompt = function () {
  const [chosen] = targets();
  if (chosen) App.editPromptOf(...chosen);
};

App.editPromptOf = function (card, take) {
  const old = (Review.said(card, take) || {}).prompt || card.prompt;
  askText(`A new prompt for ${card.key}`, { value: old, lines: 8, most: 20000, hint: "For the next take. The sheet is not changed." }, (text) => {
    const fresh = text && text !== Review.promptOf(card, take);
    const verdict = Review.verdict(card, take) || (fresh ? "reject" : "");
    Review.decide([[card, take]], { verdict, prompt: fresh ? text : "", prompt_of: fresh ? card.prompt_hash : "" });
  });
};

App.takeBack = function () {
  const cards = Review.takeBack();
  if (!cards.length) {
    say("nothing to undo");
    return;
  }
  const at = Wall.list.indexOf(cards[0]);
  if (at >= 0 && App.view === "one") One.go(at);
  else if (at >= 0) Wall.focus(at);
  say(cards.length > 1 ? `undone for ${cards.length} videos` : `undone: ${cards[0].key}`);
  App.refresh();
};

function conflict(mine, theirs) {
  const card = cardOf(theirs);
  const word = { approve: "approved", reject: "rejected", "": "reopened" };
  const because = theirs.reason ? ` (${theirs.reason})` : "";
  const dialog = ask(`${card.key} was decided by somebody else`,
    make("p", { text: `${theirs.reviewer || "Somebody"} ${word[theirs.verdict]} take ${theirs.number}${because} meanwhile. You ${word[mine.verdict]} it.` }),
    theirs.note ? make("p", { class: "quiet", text: theirs.note }) : null,
    make("div", { class: "row" },
      make("button", { type: "button", class: "good", text: "Keep theirs", on: { click: () => dialog.close() } }),
      make("button", { type: "button", text: "Use mine", on: { click: () => {
        dialog.close();
        Review.insist(mine, theirs);
      } } })));
  App.refresh();
}

const cardOf = (one) => Review.cards.find((card) => card.entry === one.entry && (card.m || 0) === (one.m || 0)) || { key: one.entry };

function gone(one) {
  const card = cardOf(one);
  ask(`${card.key} was not saved`,
    make("p", { text: `Take ${one.number} is not the file any more that this page shows. Load the page again and look at it once more.` }),
    make("div", { class: "row" }, make("button", { type: "button", text: "Load again", on: { click: () => location.reload() } })));
}

function saveFile() {
  askText("Save decisions", { value: Review.who, most: 80, label: "Your name", hint: `Who decided? The file is for: ${Review.importing()}`, button: "Save" }, (who) => {
    Review.who = who;
    Review.remember("who", who);
    const plain = (text) => text.replace(/[^\p{L}\p{N}_.-]+/gu, "_").replace(/^[._]+|[._]+$/g, "");
    const stem = plain(Review.manifests[0].manifest.replace(/\.[^.]*$/, "")) || "_";
    const link = make("a", { href: URL.createObjectURL(new Blob([Review.file()], { type: "application/json" })), download: `decisions-${stem}${who ? `-${plain(who)}` : ""}.json` });
    document.body.append(link);
    link.click();
    link.remove();
  });
}

const KEYS = [
  ["A", "approve, and on to the next"], ["R then 1 to 6", "reject for a reason, and on to the next"],
  ["C", "comment"], ["E", "new prompt"], ["Z", "undo, also of many"],
  ["← ↑ → ↓ Home End PgUp PgDn", "move"], ["Enter Esc", "one video, back"],
  ["Space", "play or pause"], [", .", "one frame back or on"], ["M", "sound"], ["T", "the other take"],
  ["X", "select; Shift and Ctrl with the mouse"], ["/", "search"], ["?", "these keys"],
];
const KEY_NAMES = new Set(KEYS.flatMap(([name]) => name.split(" ")).filter((word) => word !== "then" && word !== "to"));

function showKeys() {
  const names = (text) => text.split(" ").map((word) => (KEY_NAMES.has(word) ? make("kbd", { text: word }) : make("span", { text: word })));
  ask("Keys", make("dl", { class: "keys" }, ...KEYS.flatMap(([name, text]) => [make("dt", {}, ...names(name)), make("dd", { text })])),
    make("div", { class: "row" }, make("button", { type: "button", text: "Close", on: { click: () => $("dialog").close() } })));
}

const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End", "PageUp", "PageDown"]);
const ACTS = {
  a: () => App.approve(), r: () => App.reject(), c: () => App.comment(), e: () => App.editPrompt(), z: () => App.takeBack(),
  "?": showKeys,
  "/": () => {
    if (App.view === "one") App.closeOne();
    $("search").focus();
    $("search").select();
  },
};
const IN_ONE = {
  " ": () => One.playOrPause(), ",": () => One.step(-1), ".": () => One.step(1), m: () => One.mute(), t: () => One.otherTake(),
  Escape: () => App.closeOne(),
  ArrowLeft: () => One.go(Wall.at - 1), ArrowRight: () => One.go(Wall.at + 1), ArrowUp: () => One.go(Wall.at - 1),
  ArrowDown: () => One.go(Wall.at + 1), Home: () => One.go(0), End: () => One.go(Wall.list.length - 1),
  PageUp: () => One.go(Math.max(0, Wall.at - 10)), PageDown: () => One.go(Math.min(Wall.list.length - 1, Wall.at + 10)),
};
const ON_WALL = {
  Enter: () => App.openOne(),
  " ": () => Wall.playOrPause(),
  x: () => {
    if (!Wall.card()) return;
    Wall.toggle(Wall.card());
    App.refresh();
  },
  Escape: () => {
    Wall.selected.clear();
    App.refresh();
  },
};

function onKey(event) {
  const target = event.target;
  const typing = target.matches("input, textarea, select");
  if (event.defaultPrevented || typing || $("dialog").open || event.altKey) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() !== "z") return;
  // A button that has the focus is pressed by Enter and Space; all other keys act as everywhere.
  const onButton = target.matches("button") && !target.closest("#one, #actions, #wall");
  if (target.matches("button") && (event.key === "Enter" || event.key === " ") && !App.rejecting) return;
  if (App.rejecting) {
    if (!rejectingKey(event.key)) return;
  } else if (!carryOut(event, onButton)) return;
  event.preventDefault();
}

function rejectingKey(name) {
  const reason = REASONS[Number(name) - 1];
  if (reason) App.reasoned(reason);
  else if (name === "Enter") App.reasoned("");
  else if (name === "Escape") {
    App.rejecting = null;
    App.refresh();
  } else return false;
  return true;
}

function carryOut(event, onButton) {
  const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (App.view === "one" && IN_ONE[name]) IN_ONE[name]();
  else if (ACTS[name] && !(App.tab === "again" && App.view === "wall" && "arcez".includes(name) && name !== "z")) ACTS[name]();
  else if (App.view === "wall" && App.tab !== "again" && MOVES.has(name) && !onButton) Wall.move(name, event.shiftKey);
  else if (App.view === "wall" && App.tab !== "again" && ON_WALL[name]) ON_WALL[name]();
  else return false;
  return true;
}

App.start();
