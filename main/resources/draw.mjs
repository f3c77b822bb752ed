/**
 * Draws the app's pictures: `node main/resources/draw.mjs`.
 *
 * For the menu bar: template images, black with alpha only, 16 points, at one and two pixels a point. The shape tells
 * the state; macOS chooses the colour. For the Finder: the ready gauge on a dark tile.
 *
 * The figure is the app's gauge: an arc of 270°, open below.
 *   off      the arc alone, thin           busy     the arc around a full disc
 *   loading  the arc in dashes             trouble  the arc around an exclamation mark
 *   ready    the arc with its needle
 * At its lower right the kernel's pressure level, in the window's shapes: a triangle for warning, a larger diamond for
 * critical, nothing for normal. Trouble stands alone: it calls for the user as it is.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const SIZE = 16;
const CENTRE = { x: 8, y: 8.6 };
const RADIUS = 5.9;
/** @typedef {(x: number, y: number) => boolean} Shape A figure as "is this point inside", in points. */

/**
 * Degrees clockwise from straight up, −180 to 180.
 * @param {number} x
 * @param {number} y
 */
const angleOf = (x, y) => (Math.atan2(x - CENTRE.x, CENTRE.y - y) * 180) / Math.PI;

/**
 * @param {number} thickness
 * @param {(degrees: number) => boolean} isDrawn
 * @returns {Shape}
 */
const arc = (thickness, isDrawn) => (x, y) =>
  Math.abs(Math.hypot(x - CENTRE.x, y - CENTRE.y) - RADIUS) <= thickness / 2 && isDrawn(angleOf(x, y));

/** @param {number} degrees */
const gauge = (degrees) => Math.abs(degrees) <= 135;

/**
 * A line with round ends.
 * @param {number} ax @param {number} ay @param {number} bx @param {number} by @param {number} thickness
 * @returns {Shape}
 */
const stroke = (ax, ay, bx, by, thickness) => (x, y) => {
  const along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2);
  const at = Math.max(0, Math.min(1, along));
  return Math.hypot(x - ax - at * (bx - ax), y - ay - at * (by - ay)) <= thickness / 2;
};

/** @param {number} x0 @param {number} y0 @param {number} radius @returns {Shape} */
const disc = (x0, y0, radius) => (x, y) => Math.hypot(x - x0, y - y0) <= radius;

/**
 * Corners in the order of a clock's hand; no inward angles. `grown` points larger on each side.
 * @param {readonly (readonly [x: number, y: number])[]} corners @param {number} grown
 * @returns {Shape}
 */
const polygon =
  (corners, grown = 0) =>
  (x, y) =>
    corners.every(([ax, ay], index) => {
      const [bx, by] = corners[(index + 1) % corners.length] ?? [ax, ay];
      return ((x - ax) * (by - ay) - (y - ay) * (bx - ax)) / Math.hypot(bx - ax, by - ay) <= grown;
    });

/** @param {Shape} shape @param {Shape} hole @returns {Shape} */
const without = (shape, hole) => (x, y) => shape(x, y) && !hole(x, y);

/** @type {Record<string, Shape[]>} */
const ENGINE_FIGURES = {
  off: [arc(1.1, gauge)],
  loading: [arc(1.7, (degrees) => gauge(degrees) && (degrees + 135) % 45 <= 24)],
  ready: [
    arc(1.7, gauge),
    stroke(CENTRE.x, CENTRE.y, CENTRE.x + 2.1, CENTRE.y - 2.7, 1.6),
    disc(CENTRE.x, CENTRE.y, 1.3),
  ],
  busy: [arc(1.7, gauge), disc(CENTRE.x, CENTRE.y, 3.3)],
  trouble: [
    arc(1.7, gauge),
    stroke(CENTRE.x, CENTRE.y - 2.6, CENTRE.x, CENTRE.y + 0.7, 1.7),
    disc(CENTRE.x, CENTRE.y + 3.2, 1.05),
  ],
};

/** @type {Record<string, readonly (readonly [x: number, y: number])[]>} */
const LEVEL_CORNERS = {
  warning: [
    [12.4, 8.8],
    [15.9, 15],
    [8.9, 15],
  ],
  critical: [
    [12, 8],
    [16, 12],
    [12, 16],
    [8, 12],
  ],
};
/** Keeps the level's shape apart from the arc. */
const GAP = 1.1;

/** @type {Record<string, Shape[]>} */
const FIGURES = { ...ENGINE_FIGURES };
for (const [name, shapes] of Object.entries(ENGINE_FIGURES)) {
  if (name === 'trouble') continue;
  for (const [level, corners] of Object.entries(LEVEL_CORNERS)) {
    const room = polygon(corners, GAP);
    const beside = shapes.map((shape) => without(shape, room));
    FIGURES[`${name}-${level}`] = [...beside, polygon(corners)];
  }
}

/** @typedef {readonly [red: number, green: number, blue: number]} Colour */
/** @typedef {{ shapes: Shape[], colour: (y: number) => Colour }} Layer Colours may change from top to bottom. */

/**
 * @param {Layer[]} layers from the back to the front
 * @param {number} points width and height of the picture
 * @param {number} scale pixels a point
 * @param {number} samples a pixel and axis
 */
function draw(layers, points, scale, samples) {
  const side = points * scale;
  const rows = Buffer.alloc(side * (1 + side * 4));
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      const pixel = row * (1 + side * 4) + 1 + column * 4;
      /** @type {[number, number, number, number]} */
      let [red, green, blue, alpha] = [0, 0, 0, 0];
      for (const { shapes, colour } of layers) {
        const cover = coverage(shapes, column / scale, row / scale, 1 / scale, samples);
        const [r, g, b] = colour(row / scale);
        [red, green, blue] = [
          red * (1 - cover) + r * cover,
          green * (1 - cover) + g * cover,
          blue * (1 - cover) + b * cover,
        ];
        alpha = alpha * (1 - cover) + cover;
      }
      // Stored without the alpha multiplied in.
      const straight = alpha === 0 ? 0 : 1 / alpha;
      rows.set([red * straight, green * straight, blue * straight, alpha * 255].map(Math.round), pixel);
    }
  }
  return png(rows, side, scale);
}

/**
 * How much of the square at (left, top) the figure covers, 0 to 1.
 * @param {Shape[]} shapes @param {number} left @param {number} top @param {number} size @param {number} samples
 */
function coverage(shapes, left, top, size, samples) {
  let inside = 0;
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j < samples; j++) {
      const x = left + ((i + 0.5) / samples) * size;
      const y = top + ((j + 0.5) / samples) * size;
      if (shapes.some((shape) => shape(x, y))) inside++;
    }
  }
  return inside / (samples * samples);
}

/** @param {string} type @param {Buffer} data */
function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(body.length + 8);
  whole.writeUInt32BE(data.length, 0);
  body.copy(whole, 4);
  whole.writeUInt32BE(crc32(body), body.length + 4);
  return whole;
}

/** @param {Buffer} rows RGBA, each row after a zero byte @param {number} side @param {number} scale */
function png(rows, side, scale) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.set([8, 6, 0, 0, 0], 8); // 8 bits, RGBA
  const density = Buffer.alloc(9);
  const pixelsPerMetre = Math.round((72 * scale) / 0.0254);
  density.writeUInt32BE(pixelsPerMetre, 0);
  density.writeUInt32BE(pixelsPerMetre, 4);
  density[8] = 1;
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk('IHDR', header),
    chunk('pHYs', density),
    chunk('IDAT', deflateSync(rows, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** @type {(y: number) => Colour} */
const black = () => [0, 0, 0];
for (const [name, shapes] of Object.entries(FIGURES)) {
  for (const [scale, suffix] of /** @type {const} */ ([
    [1, ''],
    [2, '@2x'],
  ])) {
    const file = join(import.meta.dirname, 'tray', `${name}Template${suffix}.png`);
    writeFileSync(file, draw([{ shapes, colour: black }], SIZE, scale, 8));
  }
}

/** macOS keeps a tenth free around the tile, for its shadow. */
const TILE = { from: 1.6, to: 14.4, corner: 2.9 };
/** @type {Shape} */
const tile = (x, y) => {
  const dx = Math.max(TILE.from + TILE.corner - x, x - TILE.to + TILE.corner, 0);
  const dy = Math.max(TILE.from + TILE.corner - y, y - TILE.to + TILE.corner, 0);
  return Math.hypot(dx, dy) <= TILE.corner && x >= TILE.from && x <= TILE.to && y >= TILE.from && y <= TILE.to;
};
/** The gauge, smaller, in the tile's middle. @type {(shape: Shape) => Shape} */
const inTile = (shape) => (x, y) => shape((x - 8) / 0.66 + CENTRE.x, (y - 8.35) / 0.66 + CENTRE.y);
/** @type {(y: number) => Colour} */
const dusk = (y) => {
  const down = (y - TILE.from) / (TILE.to - TILE.from);
  return [72 - 44 * down, 76 - 46 * down, 88 - 52 * down];
};
const icon = draw(
  [
    { shapes: [tile], colour: dusk },
    { shapes: (FIGURES['ready'] ?? []).map(inTile), colour: () => [245, 246, 248] },
  ],
  SIZE,
  64,
  3,
);
writeFileSync(join(import.meta.dirname, 'icon.png'), icon);
