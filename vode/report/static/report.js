"use strict";

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  if (!data) return;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  function unpack(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Kind(bytes.buffer);
  }
  const column = (name, Kind = Float32Array) => unpack(data[name], Kind);
  const x = column("x"), elapsed = column("elapsed"), positions = column("positions"), quaternions = column("quaternions");
  const rows = column("rows", Int32Array), frames = column("frames", Int32Array);
  const method = column("method", Int32Array), reason = column("reason", Int32Array), lost = column("lost", Uint8Array);
  const values = Object.fromEntries(Object.entries(data.values).map(([key, text]) => [key, unpack(text, Float32Array)]));
  let current = 0;

  // ---- the view in 3-D ----
  function turned(row, [u, v, w]) {
    const [a, b, c, d] = quaternions.subarray(4 * row, 4 * row + 4);
    const [p, q, r] = [2 * (b * w - c * v), 2 * (c * u - a * w), 2 * (a * v - b * u)];
    return [u + d * p + b * r - c * q, v + d * q + c * p - a * r, w + d * r + a * q - b * p];
  }

  function makeScene() {
    const position = (row) => [...positions.subarray(3 * row, 3 * row + 3)];
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    positions.forEach((value, i) => {
      low[i % 3] = Math.min(low[i % 3], value);
      high[i % 3] = Math.max(high[i % 3], value);
    });
    const path = Math.hypot(...high.map((value, i) => value - low[i]));
    const cloud = data.cloud && {
      ...data.cloud, positions: unpack(data.cloud.positions, Uint16Array), colors: unpack(data.cloud.colors, Uint8Array),
    };
    const around = cloud ? Math.hypot(...cloud.extent) : 0;
    const [first, last] = [position(0), position(data.count - 1)];
    const far = Math.hypot(last[0] - first[0], last[2] - first[2]) > 0.3 * path && path > 1e-6;
    // the way that the camera made, and, where that is short, the middle of what it saw
    const step = Math.max(1, Math.floor(data.count / 200)), places = [];
    for (let row = 0; row < data.count; row += step) places.push(position(row));
    if (path < 0.35 * around) {
      const side = (corner, k) => cloud.low[k] + cloud.extent[k] * (corner >> k & 1 ? 0.75 : 0.25);
      for (let corner = 0; corner < 8; corner++) places.push([0, 1, 2].map((k) => side(corner, k)));
    }
    return {
      places, position, turn: turned, count: data.count, lost, loops: data.loops, view: data.view, cloud,
      size: Math.max(path, 0.35 * around, 1e-3),
      heading: far ? Math.atan2(last[0] - first[0], last[2] - first[2]) : 0,
    };
  }

  function startViewer() {
    const canvas = one("#view");
    let made = null;
    try { made = createViewer(canvas, makeScene()); } catch (error) { console.error(error); }
    one("#no-view").hidden = Boolean(made);
    canvas.hidden = !made;
    one(".scrub").hidden = false;
    if (!made) return null;
    one(".tools").hidden = false;
    const touch = matchMedia("(pointer: coarse)").matches;
    one(touch ? ".hint.touch" : ".hint").hidden = false;
    canvas.addEventListener("pointerdown", () => all(".hint").forEach((hint) => hint.classList.add("gone")), { once: true });
    all("[data-preset]").forEach((button) => button.addEventListener("click", () => made.preset(button.dataset.preset)));
    all("[data-toggle]").forEach((button) => button.addEventListener("click", () =>
      button.setAttribute("aria-pressed", made.toggle(button.dataset.toggle))));
    return made;
  }
  const viewer = startViewer();

  // ---- one frame, shown everywhere ----
  const pictures = all("[data-row] img:first-child").map((image) => ({ image, row: Number(image.parentElement.dataset.row) }));
  const plots = all(".chart .plot").map((plot) => {
    const figure = plot.closest("figure"), cursor = document.createElement("i");
    cursor.className = "cursor";
    plot.append(cursor);
    const keys = figure.dataset.keys ? figure.dataset.keys.split(" ") : [];
    const dots = keys.map((key, i) => {
      const dot = document.createElement("i");
      dot.className = `dot dot${i}`;
      plot.append(dot);
      return { dot, key };
    });
    const { low, high, decimals } = figure.dataset;
    return { plot, cursor, dots, low: Number(low), high: Number(high), decimals, readout: one(".readout", figure) };
  });
  const square = one(".square"), here = document.createElement("i");
  here.className = "here";
  if (square) square.append(here);
  const ground = square ? square.closest("figure").dataset.frame.split(" ").map(Number) : [0, 0, 1];
  const across = (row) => (positions[3 * row] - ground[0]) / ground[2] + 0.5;
  const upwards = (row) => 0.5 - (positions[3 * row + 2] - ground[1]) / ground[2];

  function moment(row) {
    const time = elapsed[row];
    if (!data.timed) return `frame ${frames[row]}`;
    const text = time < 120 ? `${time.toFixed(1)} s` : `${Math.floor(time / 60)}:${(time % 60).toFixed(0).padStart(2, "0")}`;
    return `frame ${frames[row]} · ${text}`;
  }

  function how(row) {
    const why = data.reasons[reason[row]];
    return data.methods[method[row]].replaceAll("_", " ") + (why ? `: ${why}` : "");
  }

  function nearestPicture(row) {
    return pictures.reduce((best, item) => !best || Math.abs(item.row - rows[row]) < Math.abs(best.row - rows[row]) ? item : best, null);
  }

  function show(row, readouts = true) {
    current = row;
    const left = `${100 * x[row]}%`;
    for (const { plot, cursor, dots, low, high, decimals, readout } of plots) {
      cursor.style.left = left;
      plot.classList.toggle("live", readouts);
      const texts = dots.map(({ dot, key }) => {
        const value = values[key][row], known = Number.isFinite(value), place = (high - value) / (high - low);
        dot.hidden = !known || place < 0 || place > 1;
        dot.style.left = left;
        dot.style.top = `${100 * place}%`;
        return (dots.length > 1 ? `${key} ` : "") + (known ? value.toFixed(decimals) : "–");
      });
      // several values leave no room for the moment, which the charts beside it show
      const parts = dots.length > 1 ? texts : [moment(row), ...(dots.length ? texts : [how(row)])];
      if (readouts) readout.textContent = parts.join(" · ");
    }
    here.style.left = `${100 * across(row)}%`;
    here.style.top = `${100 * upwards(row)}%`;
    one("#frame").value = rows[row];
    const text = `${moment(row)} · ${how(row)}`;
    one("#what").textContent = text;
    one("#frame").setAttribute("aria-valuetext", text);
    const picture = nearestPicture(row), now = one("#now");
    if (picture && viewer) { now.src = picture.image.src; now.hidden = false; }
    all(".chosen").forEach((figure) => figure.classList.remove("chosen"));
    if (picture && readouts) all(`[data-row="${picture.row}"]`).forEach((figure) => figure.classList.add("chosen"));
    if (viewer) viewer.show(row);
  }

  function nearest(column, value) {
    let low = 0, high = column.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (column[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low > 0 && value - column[low - 1] < column[low] - value ? low - 1 : low;
  }

  for (const { plot } of plots) {
    const follow = (event) => {
      const box = plot.getBoundingClientRect();
      show(nearest(x, (event.clientX - box.left) / box.width));
    };
    plot.addEventListener("pointermove", follow);
    plot.addEventListener("pointerdown", follow);
  }
  if (square) square.addEventListener("pointermove", (event) => {
    const box = square.getBoundingClientRect();
    const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    let best = 0, least = Infinity;
    for (let row = 0; row < data.count; row++) {
      const distance = (across(row) - u) ** 2 + (upwards(row) - v) ** 2;
      if (distance < least) [least, best] = [distance, row];
    }
    if (least < 0.02) show(best);
  });

  all("[data-row]").forEach((figure) => {
    const choose = () => show(nearest(rows, Number(figure.dataset.row)));
    figure.tabIndex = 0;
    figure.addEventListener("click", choose);
    figure.addEventListener("keydown", (event) => { if (event.key === "Enter") choose(); });
  });

  // ---- the slider ----
  const slider = one("#frame"), play = one("#play");
  let playing = 0;
  slider.addEventListener("input", () => show(nearest(rows, Number(slider.value))));
  function stop() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.classList.remove("playing");
    play.setAttribute("aria-label", "Play");
  }
  play.addEventListener("click", () => {
    if (playing) return stop();
    const from = current >= data.count - 1 ? 0 : current, begin = performance.now();
    // the whole way in its own time, but in no more than 20 seconds
    const span = data.timed ? Math.min(20, Math.max(2, elapsed[data.count - 1] - elapsed[0])) : Math.min(20, data.count / 10);
    const step = (now) => {
      const part = x[from] + (now - begin) / (1000 * span);
      show(nearest(x, part));
      if (part < 1) playing = requestAnimationFrame(step);
      else stop();
    };
    play.classList.add("playing");
    play.setAttribute("aria-label", "Pause");
    playing = requestAnimationFrame(step);
  });

  show(0, false);
})();
