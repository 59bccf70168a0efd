// Plays a whole history in the browser. The server sends it once and hears only of rests and forks.

const SPEEDS = [10, 30, 100, 300, 1000, 3000];
const HUES = { broken: "#D55E00", fixed: "#009E73", plain: "#7A7A7A", cursor: "#0072B2", other: "#CC79A7", amber: "#E69F00", sky: "#56B4E9" };
const DASHES = { solid: [], dash: [7, 5], dot: [2, 4], dashdot: [8, 4, 2, 4] };
const players = new WeakMap();
// by name: where a player was when its place on the page was built anew, and this module with it
const left = (window.statePlayers ??= new Map());

export default function (component) {
  const root = component.parentElement;
  if (!players.has(root)) players.set(root, new Player(root, component.data.name));
  const player = players.get(root);
  player.receive(component);
  return () => player.leave();
}

class Player {
  constructor(root, name) {
    this.root = root;
    this.name = name;
    this.box = root.querySelector(".player");
    this.find = (selector) => root.querySelector(selector);
    this.cursor = 0;
    this.serial = 0;
    this.calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.dark = matchMedia("(prefers-color-scheme: dark)");
    this.repaint = () => setTimeout(() => this.layout(), 250);
    this.dark.addEventListener("change", this.repaint);
    this.resized = new ResizeObserver(() => this.layout());
    this.resized.observe(this.box);
    const speed = this.find("[data-action=speed]");
    for (const each of SPEEDS) speed.add(new Option(`${each} steps/s`, each, each === 100, each === 100));
    this.find(".bar").addEventListener("click", (event) => this.act(event.target.closest("button")?.dataset.action));
    this.find(".scrub").addEventListener("input", (event) => { this.pause(); this.go(Number(event.target.value)); this.rest(); });
    this.find("#rate").addEventListener("input", () => this.turned());
    this.box.addEventListener("keydown", (event) => this.key(event));
  }

  leave() {
    left.set(this.name, { id: this.id, cursor: this.cursor, playing: Boolean(this.frame), asked: this.forking ? null : this.asked, serial: this.serial });
    cancelAnimationFrame(this.frame);
    clearTimeout(this.resting);
    clearTimeout(this.forking);
    this.resized.disconnect();
    this.dark.removeEventListener("change", this.repaint);
    players.delete(this.root);
  }

  // --- what the server sends -------------------------------------------------------------------

  receive({ data, setStateValue }) {
    this.tell = setStateValue;
    if (data.id === this.id) return;
    const fork = data.fork, before = this.id === undefined ? left.get(this.name) : null;
    if (before?.asked) Object.assign(this, { asked: before.asked, serial: before.serial });
    const late = this.asked && fork && fork.serial < this.serial; // a reply to an older fork
    if (late && this.spec) return;
    const answered = this.asked && fork && fork.serial === this.serial;
    const here = answered || late ? { cursor: this.asked.step, playing: this.asked.playing }
      : before?.id === data.id ? before : { cursor: data.step, playing: false };
    this.pause(false);
    this.id = data.id;
    this.spec = data;
    this.serial = Math.max(this.serial, fork ? fork.serial : 0);
    if (!late) this.asked = null;
    this.columns = Object.fromEntries(Object.entries(data.columns).map(([name, text]) => [name, floats(text)]));
    this.build();
    this.cursor = Math.min(Math.max(here.cursor, 0), data.steps);
    this.layout();
    if (here.playing) this.play();
    else if (answered) this.rest();
  }

  build() {
    const { spec } = this;
    this.cells = [];
    for (const [place, items] of [[".panels", spec.panels], [".views", spec.views]]) {
      const nodes = items.map((item) => this.cell(item));
      this.find(place).replaceChildren(...nodes);
    }
    this.find(".scrub").max = spec.steps;
    const fork = this.find(".fork");
    fork.hidden = !spec.fork;
    if (spec.fork) {
      fork.querySelector("label").textContent = spec.fork.label;
      this.rate = spec.fork.value;
      fork.querySelector("input").value = this.ratio(spec.fork.value);
      fork.querySelector("input").disabled = Boolean(spec.fork.full);
      this.showRate(spec.fork.full || spec.fork.hint);
    }
  }

  cell(item) {
    const node = document.createElement("section");
    node.className = "cell";
    if (item.key) node.dataset.panel = item.key;
    const title = document.createElement("h3");
    title.textContent = (item.mark ? item.mark + " " : "") + item.title;
    const canvas = document.createElement("canvas");
    canvas.setAttribute("role", "img");
    const readouts = (item.readouts || []).map((readout) => {
      const box = document.createElement("div");
      const term = document.createElement("dt");
      const value = document.createElement("dd");
      term.textContent = readout.label;
      value.dataset.readout = readout.name;
      box.append(term, value);
      return { readout, box, value };
    });
    const list = document.createElement("dl");
    list.className = "readouts";
    list.append(...readouts.map(({ box }) => box));
    node.append(title, legend(item.view), canvas, ...(readouts.length ? [list] : []));
    this.cells.push({ item, canvas, readouts, draw: null });
    return node;
  }

  layout() {
    if (!this.spec || !this.box.clientWidth) return;
    const style = getComputedStyle(this.box);
    const ink = { text: style.color, quiet: style.getPropertyValue("--quiet").trim(), edge: style.getPropertyValue("--edge").trim() };
    // light-dark() is resolved only in a real property
    const probe = document.createElement("span");
    this.box.append(probe);
    for (const name of ["quiet", "edge"]) { probe.style.color = `var(--${name})`; ink[name] = getComputedStyle(probe).color; }
    probe.remove();
    for (const cell of this.cells) cell.draw = VIEWS[cell.item.view.kind](surface(cell.canvas), cell.item.view, this.columns, this.spec, ink);
    this.show();
    this.describe();
  }

  // --- moving ------------------------------------------------------------------------------------

  get step() { return Math.floor(this.cursor); }

  act(action) {
    if (action === "play") this.frame ? this.pause() : this.play();
    if (action === "step") this.jump(this.step + 1);
    if (action === "back") this.jump(Math.ceil(this.cursor) - 1);
    if (action === "reset") this.jump(0);
  }

  jump(step) { this.pause(false); this.go(step); this.rest(); }

  go(step) {
    this.cursor = Math.min(Math.max(step, 0), this.spec.steps);
    this.show();
  }

  play() {
    if (this.asked) return;
    if (this.cursor >= this.spec.steps) this.cursor = 0;
    this.asPlaying(true);
    let before = performance.now(), shown = before;
    const frame = (now) => {
      this.frame = requestAnimationFrame(frame);
      if (this.calm.matches && now - shown < 500) return; // reduced motion: two still pictures a second
      const speed = Number(this.find("[data-action=speed]").value);
      this.cursor = Math.min(this.cursor + (speed * (now - before)) / 1000, this.spec.steps);
      before = shown = now;
      this.show();
      this.speak(false);
      if (this.cursor >= this.spec.steps) this.pause();
    };
    this.frame = requestAnimationFrame(frame);
  }

  pause(rest = true) {
    if (!this.frame) return;
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.cursor = this.step;
    this.asPlaying(false);
    this.show();
    if (rest) this.rest();
  }

  asPlaying(playing) {
    const button = this.find("[data-action=play]");
    button.setAttribute("aria-label", playing ? "Pause" : "Play");
    button.querySelector("span").textContent = playing ? "❚❚" : "▶";
    button.querySelector("b").textContent = playing ? "Pause" : "Play";
  }

  // The cursor has come to rest: tell the server once, when the hand is still.
  rest() {
    clearTimeout(this.resting);
    this.resting = setTimeout(() => { this.tell("step", this.step); this.speak(true); this.describe(); }, 250);
  }

  // --- forking -----------------------------------------------------------------------------------

  ratio(rate) {
    const { low, high } = this.spec.fork;
    return Math.round((1000 * Math.log(rate / low)) / Math.log(high / low));
  }

  turned() {
    const { low, high } = this.spec.fork;
    this.asked ??= { playing: Boolean(this.frame), step: this.step };
    this.pause(false);
    const rate = low * (high / low) ** (Number(this.find("#rate").value) / 1000);
    this.rate = Number(rate.toPrecision(3));
    this.showRate(`forks at step ${this.asked.step}`);
    clearTimeout(this.forking);
    clearTimeout(this.resting);
    this.serial += 1; // from here on, a reply to an older fork is late
    this.forking = setTimeout(() => {
      this.forking = 0;
      this.tell("fork", { serial: this.serial, step: this.asked.step, rate: this.rate, of: this.id });
    }, 300);
  }

  showRate(hint) {
    this.find(".fork output").textContent = short(this.rate);
    this.find("#rate").setAttribute("aria-valuetext", short(this.rate));
    this.find(".hint").textContent = hint || "";
  }

  // --- showing -----------------------------------------------------------------------------------

  show() {
    const { step } = this;
    this.find(".at").textContent = `step ${step}`;
    const scrub = this.find(".scrub");
    scrub.value = step;
    scrub.setAttribute("aria-valuetext", `step ${step} of ${this.spec.steps}`);
    this.find("[data-action=back]").disabled = step === 0;
    this.find("[data-action=step]").disabled = step >= this.spec.steps;
    for (const cell of this.cells) {
      for (const { readout, value } of cell.readouts) {
        value.textContent = readout.column ? number(at(this.columns[readout.column], step)) : readout.name === "step" ? step : readout.text;
      }
      cell.draw?.(step);
    }
  }

  key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const target = event.composedPath()[0];
    event.stopPropagation(); // the page's own shortcuts stay quiet while the player has the focus
    const own = { " ": "play", ArrowRight: "step", ArrowLeft: "back", Home: "reset", End: "end" }[event.key];
    if (!own || target.matches("select, #rate") || (event.key === " " && target.matches("button"))) return;
    event.preventDefault();
    if (own === "end") this.jump(this.spec.steps);
    else this.act(own);
  }

  // At rest at once; while playing at most every five seconds.
  speak(now) {
    const time = performance.now();
    if (!now && time - (this.spoke ?? 0) < 5000) return;
    this.spoke = time;
    this.find(".spoken").textContent = this.sentence();
  }

  sentence() {
    const parts = this.cells.filter((cell) => cell.readouts.length).map((cell) => cell.item.title + ": "
      + cell.readouts.filter(({ readout }) => readout.name !== "step").map(({ readout, value }) => `${readout.label} ${value.textContent}`).join(", "));
    return `step ${this.step}. ${parts.join("; ")}`;
  }

  describe() {
    for (const { item, canvas } of this.cells) canvas.setAttribute("aria-label", `${item.title}: ${item.view.says} ${this.sentence()}`);
  }
}

// --- pictures: each returns draw(step), with all that stands still painted once ---------------------

const VIEWS = {
  // points with straight lines weight * x + bias
  fit(canvas, view, columns, spec, ink) {
    const x = columns[view.x], y = columns[view.y];
    const plot = axes(canvas, { x: span(x, 0.05), y: span(y, 0.08), xlabel: view.xlabel, ylabel: view.ylabel }, ink);
    const still = plot.still((pen) => {
      pen.globalAlpha = x.length > 500 ? 0.25 : 0.55;
      pen.fillStyle = ink.quiet;
      for (let i = 0; i < x.length; i++) pen.fillRect(plot.px(x[i]) - 1.5, plot.py(y[i]) - 1.5, 3, 3);
      pen.globalAlpha = 1;
      for (const line of view.still) straight(pen, plot, line.weight, line.bias, ink.text, line.dash, 1.5);
    });
    return (step) => {
      still();
      plot.inside((pen) => {
        for (const line of view.lines) straight(pen, plot, at(columns[line.weight], step), at(columns[line.bias], step), HUES[line.role], line.dash, line.width ?? 3);
      });
    };
  },

  // columns against the step
  curves(canvas, view, columns, spec, ink) {
    const floor = view.levels.map((level) => level.value);
    const [low, high] = view.log ? logSpan(view.series.map((s) => columns[s.column]), floor) : span(Float32Array.from([...floor, ...view.series.flatMap((s) => [...columns[s.column]])]), 0.06);
    const plot = axes(canvas, { x: [0, spec.steps], y: [low, high], log: view.log, xlabel: "step", ylabel: view.ylabel }, ink);
    const whole = plot.layer((pen) => {
      for (const series of view.series) polyline(pen, plot, columns[series.column], HUES[series.role], series.dash, series.width ?? 2.5);
    });
    const still = plot.still((pen) => {
      for (const level of view.levels) {
        pen.setLineDash(DASHES.dot); pen.strokeStyle = ink.text; pen.lineWidth = 1.5;
        line(pen, plot.left, plot.py(level.value), plot.right, plot.py(level.value));
      }
      pen.globalAlpha = 0.22; pen.drawImage(whole, 0, 0, canvas.width, canvas.height); pen.globalAlpha = 1;
    });
    return (step) => {
      still();
      const x = plot.px(step), { pen } = canvas;
      plot.inside(() => {
        pen.save(); pen.beginPath(); pen.rect(plot.left, plot.top, x - plot.left, plot.bottom - plot.top); pen.clip();
        pen.drawImage(whole, 0, 0, canvas.width, canvas.height); pen.restore();
        pen.strokeStyle = HUES.cursor; pen.lineWidth = 2; pen.setLineDash([]); line(pen, x, plot.top, x, plot.bottom);
        for (const series of view.series) dot(pen, x, plot.py(at(columns[series.column], step)), HUES[series.role], series.role, series.width);
      });
    };
  },

  // a walk over a surface given on a grid
  path(canvas, view, columns, spec, ink) {
    const plot = axes(canvas, { x: view.xspan, y: view.yspan, xlabel: view.xlabel, ylabel: view.ylabel }, ink);
    const still = plot.still((pen) => {
      contours(pen, plot, columns[view.grid], view, ink);
      for (const mark of view.marks) { pen.fillStyle = ink.text; pen.font = "600 15px sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.fillText(mark.sign, plot.px(mark.x), plot.py(mark.y)); }
    });
    const stride = Math.max(1, Math.ceil(spec.steps / 800));
    return (step) => {
      still();
      plot.inside((pen) => {
        for (const walk of view.walks) {
          const x = columns[walk.x], y = columns[walk.y];
          pen.strokeStyle = HUES[walk.role]; pen.lineWidth = walk.width ?? 2.5; pen.setLineDash(DASHES[walk.dash]); pen.beginPath();
          for (let k = 0; k < step; k += stride) pen.lineTo(plot.px(at(x, k)), plot.py(at(y, k)));
          pen.lineTo(plot.px(at(x, step)), plot.py(at(y, step)));
          pen.stroke();
          dot(pen, plot.px(at(x, step)), plot.py(at(y, step)), HUES[walk.role], walk.role, walk.width);
        }
      });
    };
  },
};

function surface(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio; canvas.height = height * ratio;
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { pen, width, height, ratio };
}

function axes(canvas, { x, y, log, xlabel, ylabel }, ink) {
  const { pen, width, height, ratio } = canvas;
  const left = 50, right = width - 18, top = 8, bottom = height - 36;
  const v = log ? Math.log10 : (value) => value;
  const [y0, y1] = y.map(v);
  const far = 1e5;
  const px = (value) => clamp(left + ((value - x[0]) / (x[1] - x[0])) * (right - left), -far, far);
  const py = (value) => clamp(bottom - ((v(value) - y0) / (y1 - y0)) * (bottom - top), -far, far);
  const layer = (paint) => {
    const sheet = document.createElement("canvas");
    sheet.width = width * ratio; sheet.height = height * ratio;
    const own = sheet.getContext("2d");
    own.setTransform(ratio, 0, 0, ratio, 0, 0);
    own.save(); own.beginPath(); own.rect(left, top, right - left, bottom - top); own.clip();
    paint(own);
    own.restore();
    return sheet;
  };
  const frame = (own) => {
    own.font = "12px 'Source Sans', sans-serif"; own.fillStyle = ink.quiet; own.strokeStyle = ink.edge; own.lineWidth = 1; own.setLineDash([]);
    own.textAlign = "center"; own.textBaseline = "top";
    for (const tick of ticks(x[0], x[1], Math.max(3, Math.floor((right - left) / 90)))) { own.fillText(short(tick), px(tick), bottom + 5); line(own, px(tick), bottom, px(tick), bottom + 3); }
    own.fillText(xlabel, (left + right) / 2, bottom + 20);
    own.textAlign = "right"; own.textBaseline = "middle";
    for (const tick of log ? powers(y0, y1) : ticks(y0, y1, 4)) { own.fillText(short(tick), left - 6, py(tick)); line(own, left, py(tick), right, py(tick)); }
    own.save(); own.translate(10, (top + bottom) / 2); own.rotate(-Math.PI / 2); own.textAlign = "center"; own.fillText(ylabel, 0, 0); own.restore();
  };
  return {
    left, right, top, bottom, px, py, layer, xspan: x,
    still(paint) {
      const painted = layer(paint), sheet = document.createElement("canvas");
      sheet.width = width * ratio; sheet.height = height * ratio;
      const own = sheet.getContext("2d");
      own.setTransform(ratio, 0, 0, ratio, 0, 0);
      frame(own);
      own.drawImage(painted, 0, 0, width, height);
      return () => { pen.clearRect(0, 0, width, height); pen.drawImage(sheet, 0, 0, width, height); };
    },
    inside(paint) {
      pen.save(); pen.beginPath(); pen.rect(left, top, right - left, bottom - top); pen.clip();
      paint(pen);
      pen.restore();
    },
  };
}

function straight(pen, plot, weight, bias, colour, dash, width) {
  if (!Number.isFinite(weight + bias)) return;
  const [x0, x1] = plot.xspan;
  pen.strokeStyle = colour; pen.lineWidth = width; pen.setLineDash(DASHES[dash]);
  line(pen, plot.left, plot.py(weight * x0 + bias), plot.right, plot.py(weight * x1 + bias));
}

// One vertical stroke for each pixel column, so that 10,000 steps cost what 1,000 do.
function polyline(pen, plot, values, colour, dash, width) {
  pen.strokeStyle = colour; pen.lineWidth = width; pen.setLineDash(DASHES[dash]); pen.beginPath();
  const stride = Math.max(1, Math.floor(values.length / (2 * (plot.right - plot.left))));
  let begun = false;
  for (let k = 0; k < values.length; k += stride) {
    if (Number.isFinite(values[k])) { pen.lineTo(plot.px(k), plot.py(values[k])); begun = true; }
    else if (begun) break; // what leaves the numbers does not come back; a column may begin later, though
  }
  pen.stroke();
}

// Marching squares: each cell of the grid gets the segments where a level crosses its edges.
function contours(pen, plot, grid, view, ink) {
  const n = Math.round(Math.sqrt(grid.length));
  const gx = (i) => plot.px(view.xspan[0] + (i / (n - 1)) * (view.xspan[1] - view.xspan[0]));
  const gy = (j) => plot.py(view.yspan[0] + (j / (n - 1)) * (view.yspan[1] - view.yspan[0]));
  pen.strokeStyle = ink.quiet; pen.lineWidth = 1; pen.setLineDash([]); pen.globalAlpha = 0.55;
  for (const level of view.contours) {
    pen.beginPath();
    for (let j = 0; j + 1 < n; j++) for (let i = 0; i + 1 < n; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const crossings = [];
      for (let edge = 0; edge < 4; edge++) {
        const [a, b] = [corners[edge], corners[(edge + 1) % 4]];
        const va = grid[a[1] * n + a[0]] - level, vb = grid[b[1] * n + b[0]] - level;
        if (va < 0 !== vb < 0) { const t = va / (va - vb); crossings.push([gx(a[0] + t * (b[0] - a[0])), gy(a[1] + t * (b[1] - a[1]))]); }
      }
      for (let k = 0; k + 1 < crossings.length; k += 2) { pen.moveTo(...crossings[k]); pen.lineTo(...crossings[k + 1]); }
    }
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

// Thin lines, of which there are many, end in small dots.
function dot(pen, x, y, colour, role, width = 2.5) {
  pen.setLineDash([]); pen.lineWidth = 3; pen.strokeStyle = pen.fillStyle = colour; pen.beginPath();
  if (role === "broken") { pen.moveTo(x - 5, y - 5); pen.lineTo(x + 5, y + 5); pen.moveTo(x + 5, y - 5); pen.lineTo(x - 5, y + 5); pen.stroke(); }
  else { pen.arc(x, y, Math.min(5, 2.5 * width), 0, 7); pen.fill(); }
}

function line(pen, x0, y0, x1, y1) { pen.beginPath(); pen.moveTo(x0, y0); pen.lineTo(x1, y1); pen.stroke(); }

function legend(view) {
  const node = document.createElement("div");
  node.className = "legend";
  for (const entry of view.legend || []) {
    const item = document.createElement("span"), key = document.createElement("i");
    key.style.borderTopStyle = { solid: "solid", dash: "dashed", dot: "dotted", dashdot: "dashed" }[entry.dash];
    key.style.borderTopColor = entry.role ? HUES[entry.role] : "currentColor";
    item.append(key, entry.label);
    node.append(item);
  }
  return node;
}

// --- numbers ------------------------------------------------------------------------------------------

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function at(column, step) { return column[Math.min(step, column.length - 1)]; }

function clamp(value, low, high) { return Number.isNaN(value) ? high : Math.min(Math.max(value, low), high); }

function span(values, pad) {
  let low = Infinity, high = -Infinity;
  for (const value of values) if (Number.isFinite(value)) { low = Math.min(low, value); high = Math.max(high, value); }
  if (!(low < high)) { low = (Number.isFinite(low) ? low : 0) - 1; high = low + 2; }
  return [low - pad * (high - low), high + pad * (high - low)];
}

// A diverging run must not flatten the rest: at most a thousand times the first value is on the chart.
function logSpan(columns, levels) {
  let low = Infinity, high = -Infinity;
  const first = Math.max(...columns.map((column) => column[0]));
  for (const column of [...columns, levels]) for (const value of column) if (value > 0 && value <= 1e3 * first) { low = Math.min(low, value); high = Math.max(high, value); }
  if (!(low < high)) { low = (Number.isFinite(low) ? low : 1) / 2; high = 4 * low; }
  return [low * 0.8, high * 1.25];
}

function ticks(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const unit = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= raw);
  const found = [];
  for (let tick = Math.ceil(low / unit) * unit; tick <= high + unit * 1e-9; tick += unit) found.push(Math.abs(tick) < unit * 1e-9 ? 0 : tick);
  return found;
}

function powers(low, high) {
  const found = [];
  const steps = high - low > 3 ? [1] : [1, 2, 5];
  for (let power = Math.floor(low); power <= high; power++) for (const k of steps) { const tick = k * 10 ** power; if (Math.log10(tick) >= low && Math.log10(tick) <= high) found.push(tick); }
  return found;
}

function short(value) { return Math.abs(value) >= 1e5 ? value.toExponential(0) : String(Number(value.toPrecision(4))).replace("-", "−"); }

function number(value) {
  if (value === undefined) return "";
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "−inf";
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-4 || size >= 1e6) ? value.toExponential(3) : value.toPrecision(4);
  return text.replaceAll("-", "−");
}
