"use strict";

/** A view of points, a path and cameras that turns, moves and zooms; null without WebGL. Axes: x right, y down, z forward. */
function createViewer(canvas, scene) {
  const gl = canvas.getContext("webgl", { antialias: true, preserveDrawingBuffer: true, alpha: false });
  if (!gl) return null;
  const SKY = [0.055, 0.067, 0.086];
  const PATH = [0.24, 0.75, 1.0], END = [0.62, 0.93, 1.0], LOST = [1.0, 0.36, 0.3], CAMERA = [0.78, 0.83, 0.9];
  const NOW = [1.0, 0.82, 0.3], LOOP = [0.95, 0.75, 0.2];
  const shown = { points: true, cameras: true };
  const eye = { target: [0, 0, 0], azimuth: 0, elevation: 0.5, distance: 1, ride: false };
  let programs, buffers, current = 0, asked = false, whole = "whole";

  // ---- matrices, column by column ----
  const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
  const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];

  function axes() {
    const c = Math.cos(eye.elevation);
    const forward = [Math.sin(eye.azimuth) * c, Math.sin(eye.elevation), Math.cos(eye.azimuth) * c];
    const right = [Math.cos(eye.azimuth), 0, -Math.sin(eye.azimuth)];
    return { forward, right, down: cross(forward, right) };
  }

  function matrix() {
    const { forward, right, down } = axes();
    const from = eye.target.map((x, i) => x - forward[i] * eye.distance);
    const aspect = canvas.width / canvas.height, f = 1.9 * Math.min(1, aspect * 1.1);
    const near = eye.distance * 0.02, far = eye.distance * 8 + scene.size * 4;
    const a = (far + near) / (far - near), b = -2 * far * near / (far - near);
    const rows = [right.map((x) => x * f / aspect), down.map((x) => -x * f), forward.map((x) => x * a), forward];
    const shift = [0, 0, b, 0];
    const out = new Float32Array(16);
    rows.forEach((row, i) => {
      for (let k = 0; k < 3; k++) out[4 * k + i] = row[k];
      out[12 + i] = shift[i] - dot(row, from);
    });
    return out;
  }

  // ---- programs and buffers ----
  const POINTS = [`
    attribute vec3 place, color; uniform mat4 m; uniform vec3 low, extent; uniform float size, ratio; varying vec3 shade;
    void main() {
      gl_Position = m * vec4(low + extent * place, 1.0);
      gl_PointSize = clamp(size / gl_Position.w, 1.5 * ratio, 7.0 * ratio);
      shade = pow(color, vec3(0.8));
    }`, `
    precision mediump float; varying vec3 shade;
    void main() {
      vec2 d = gl_PointCoord - 0.5;
      if (dot(d, d) > 0.25) discard;
      gl_FragColor = vec4(shade, 1.0);
    }`];
  // a line is a rectangle on the screen: each end knows the other, and is cut where it lies behind the eye
  const LINES = [`
    attribute vec3 start, end, color; attribute vec2 corner;
    uniform mat4 m; uniform vec2 screen; uniform float width; varying vec3 shade;
    void main() {
      vec4 a = m * vec4(start, 1.0), b = m * vec4(end, 1.0);
      float near = 0.001 + 1e-4 * max(abs(a.w), abs(b.w));
      shade = color;
      if (max(a.w, b.w) <= near) { gl_Position = vec4(2.0, 2.0, 2.0, 1.0); return; }
      if (a.w < near) a = mix(a, b, (near - a.w) / (b.w - a.w));
      if (b.w < near) b = mix(b, a, (near - b.w) / (a.w - b.w));
      vec2 along = (b.xy / b.w - a.xy / a.w) * screen;
      along = length(along) > 1e-6 ? normalize(along) : vec2(1.0, 0.0);
      vec2 across = vec2(-along.y, along.x) * corner.y + along * (corner.x - 0.5);
      gl_Position = corner.x < 0.5 ? a : b;
      gl_Position.xy += across * width / screen * gl_Position.w;
    }`, `
    precision mediump float; uniform float opacity; varying vec3 shade;
    void main() { gl_FragColor = vec4(shade, opacity); }`];

  function compile([vertex, fragment]) {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    return program;
  }

  function upload(values, buffer = gl.createBuffer()) {
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
    return buffer;
  }

  /** Segments [start, end, color, color at the end] as two triangles each. */
  function lines(segments, before) {
    const values = new Float32Array(segments.length * 66);
    let i = 0;
    for (const [a, b, color, last] of segments) {
      for (const [t, side] of [[0, -1], [0, 1], [1, -1], [1, -1], [0, 1], [1, 1]]) {
        values.set([...a, ...b, ...(t && last ? last : color), t, side], i);
        i += 11;
      }
    }
    return { buffer: upload(values, before?.buffer), count: segments.length * 6 };
  }

  function frustum(row, size, color) {
    const center = scene.position(row), [x, y] = scene.view;
    const depth = size / Math.max(x, y);
    const corner = (u, v) => scene.turn(row, [u * x * depth, v * y * depth, depth]).map((p, i) => p + center[i]);
    const [a, b, c, d] = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
    const roof = [corner(-0.35, -1.25), corner(0, -1.7), corner(0.35, -1.25)];
    const pairs = [[center, a], [center, b], [center, c], [center, d], [a, b], [b, c], [c, d], [d, a]];
    pairs.push([roof[0], roof[1]], [roof[1], roof[2]], [roof[2], roof[0]]);
    return pairs.map(([p, q]) => [p, q, color]);
  }

  function setup() {
    programs = { points: compile(POINTS), lines: compile(LINES) };
    const path = [];
    for (let i = 1; i < scene.count; i++) {
      const mix = (t) => PATH.map((x, k) => x + (END[k] - x) * t);
      const lost = scene.lost[i];
      path.push([scene.position(i - 1), scene.position(i), lost ? LOST : mix((i - 1) / scene.count), lost ? LOST : mix(i / scene.count)]);
    }
    const loops = scene.loops.map((loop) => [loop.slice(0, 3), loop.slice(3, 6), LOOP]);
    const cameras = [], step = Math.max(1, Math.ceil(scene.count / 36));
    for (let i = 0; i < scene.count; i += step) cameras.push(...frustum(i, scene.size * 0.009, CAMERA));
    buffers = { path: lines(path), loops: lines(loops), cameras: lines(cameras), now: null, places: null };
    if (scene.cloud) {
      buffers.places = upload(scene.cloud.positions);
      buffers.colors = upload(scene.cloud.colors);
    }
    gl.enable(gl.DEPTH_TEST);
    gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  }

  function attribute(program, name, buffer, size, kind, normalized, stride, offset) {
    const place = gl.getAttribLocation(program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, size, kind, normalized, stride, offset);
  }

  function drawPoints(m, ratio) {
    const program = programs.points, at = (name) => gl.getUniformLocation(program, name);
    gl.useProgram(program);
    gl.uniformMatrix4fv(at("m"), false, m);
    gl.uniform3fv(at("low"), scene.cloud.low);
    gl.uniform3fv(at("extent"), scene.cloud.extent);
    gl.uniform1f(at("size"), scene.size * 0.0055 * canvas.height);
    gl.uniform1f(at("ratio"), ratio);
    attribute(program, "place", buffers.places, 3, gl.UNSIGNED_SHORT, true, 6, 0);
    attribute(program, "color", buffers.colors, 3, gl.UNSIGNED_BYTE, true, 3, 0);
    gl.drawArrays(gl.POINTS, 0, scene.cloud.count);
  }

  function drawLines(m, drawn, width, opacity) {
    if (!drawn || !drawn.count) return;
    const program = programs.lines, at = (name) => gl.getUniformLocation(program, name);
    gl.useProgram(program);
    gl.uniformMatrix4fv(at("m"), false, m);
    gl.uniform2f(at("screen"), canvas.width, canvas.height);
    gl.uniform1f(at("width"), width);
    gl.uniform1f(at("opacity"), opacity);
    [["start", 3, 0], ["end", 3, 12], ["color", 3, 24], ["corner", 2, 36]].forEach(([name, size, offset]) =>
      attribute(program, name, drawn.buffer, size, gl.FLOAT, false, 44, offset));
    gl.drawArrays(gl.TRIANGLES, 0, drawn.count);
  }

  function draw() {
    asked = false;
    const ratio = canvas.width / (canvas.clientWidth || canvas.width), m = matrix();
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...SKY, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.disable(gl.BLEND);
    if (shown.points && buffers.places) drawPoints(m, ratio);
    gl.enable(gl.BLEND);
    if (shown.cameras) drawLines(m, buffers.cameras, 1.1 * ratio, 0.75);
    drawLines(m, buffers.path, 3 * ratio, 1);
    drawLines(m, buffers.loops, 1.3 * ratio, 0.9);
    drawLines(m, buffers.now, 2.2 * ratio, 1);
    // what the points hide of the path shines through
    gl.disable(gl.DEPTH_TEST);
    drawLines(m, buffers.path, 2 * ratio, 0.45);
    drawLines(m, buffers.now, 2 * ratio, 0.6);
    gl.enable(gl.DEPTH_TEST);
  }

  function redraw() {
    if (!asked) { asked = true; requestAnimationFrame(draw); }
  }

  function resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    if (whole) preset(whole);
    redraw();
  }

  // ---- viewpoints ----
  function ride() {
    const forward = scene.turn(current, [0, 0, 1]);
    eye.target = scene.position(current).map((x, i) => x + forward[i] * scene.size * 0.05);
    eye.azimuth = Math.atan2(forward[0], forward[2]);
  }

  /** Look at the middle of the places that count from where all of them fill the canvas. */
  function fit() {
    const { forward, right, down } = axes(), aspect = canvas.clientWidth / Math.max(canvas.clientHeight, 1) || 1.6;
    const f = 1.9 * Math.min(1, aspect * 1.1);
    const places = scene.places.map((place) => [dot(place, right), dot(place, down), dot(place, forward)]);
    const middle = (values) => (Math.min(...values) + Math.max(...values)) / 2;
    let [u, v, w] = [0, 1, 2].map((k) => middle(places.map((place) => place[k]))), distance;
    // what is near looks larger, so that the middle of the path is not that of its image
    for (let round = 0; round < 6; round++) {
      distance = places.reduce((least, [x, y, z]) => Math.max(least,
        f * Math.abs(x - u) / (0.76 * aspect) - (z - w), f * Math.abs(y - v) / 0.56 - (z - w)), scene.size * 0.2);
      u += distance * middle(places.map(([x, , z]) => (x - u) / (distance + z - w)));
      v += distance * middle(places.map(([, y, z]) => (y - v) / (distance + z - w)));
    }
    eye.target = right.map((x, i) => x * u + down[i] * v + forward[i] * w);
    eye.distance = distance;
  }

  function preset(name) {
    eye.ride = name === "ride";
    if (name === "above") Object.assign(eye, { azimuth: 0, elevation: 1.5607 });
    else if (name === "ride") { Object.assign(eye, { elevation: 0.24, distance: scene.size * 0.11 }); ride(); }
    else Object.assign(eye, { azimuth: scene.heading - 0.8, elevation: 0.55 });
    if (name !== "ride") fit();
    whole = name !== "ride" && name;
    redraw();
  }

  function turn(x, y) {
    whole = false;
    eye.azimuth -= x * 0.006;
    eye.elevation = Math.min(1.5607, Math.max(-1.5, eye.elevation + y * 0.006));
    redraw();
  }

  function move(x, y) {
    whole = false;
    const { right, down } = axes(), step = eye.distance / (0.95 * canvas.clientHeight);
    eye.ride = false;
    eye.target = eye.target.map((p, i) => p - (right[i] * x + down[i] * y) * step);
    redraw();
  }

  function zoom(factor) {
    whole = false;
    eye.distance = Math.min(scene.size * 10, Math.max(scene.size * 0.004, eye.distance * factor));
    redraw();
  }

  // ---- pointers and keys ----
  const pointers = new Map();
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, event);
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const x = event.clientX - before.clientX, y = event.clientY - before.clientY;
    if (pointers.size === 2) {
      const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
      const apart = (p) => Math.hypot(p.clientX - other.clientX, p.clientY - other.clientY) || 1;
      zoom(apart(before) / apart(event));
      move(x / 2, y / 2);
    } else if (event.shiftKey || event.buttons & 6) move(x, y);
    else turn(x, y);
    pointers.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("dblclick", () => preset("whole"));
  // the wheel scrolls the page until the view has been clicked
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas && !event.ctrlKey) return;
    event.preventDefault();
    zoom(Math.exp(Math.max(-100, Math.min(100, event.deltaY)) * 0.0022));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (arrows[event.key]) {
      const [x, y] = arrows[event.key].map((step) => step * 24);
      if (event.shiftKey) move(-x, -y);
      else turn(-x, -y);
    } else if (event.key === "+" || event.key === "=") zoom(0.85);
    else if (event.key === "-") zoom(1 / 0.85);
    else if (event.key === "Home") preset("whole");
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
  canvas.addEventListener("webglcontextrestored", () => { setup(); show(current); });

  function show(row) {
    current = row;
    buffers.now = lines(frustum(row, scene.size * 0.016, NOW), buffers.now);
    if (eye.ride) ride();
    redraw();
  }

  setup();
  preset("whole");
  show(0);
  new ResizeObserver(resize).observe(canvas);
  resize();
  return { show, preset, toggle: (name) => { shown[name] = !shown[name]; redraw(); return shown[name]; } };
}
