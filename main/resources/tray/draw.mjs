/**
 * Draws the menu-bar icons: `node main/resources/tray/draw.mjs`. Template images: black with alpha only, 16 points,
 * at one and two pixels a point. The shape tells the state; macOS chooses the colour.
 *
 * The figure is the app's gauge: an arc of 270°, open below.
 *   off      the arc alone, thin           busy     the arc around a full disc
 *   loading  the arc in dashes             trouble  the arc around an exclamation mark
 *   ready    the arc with its needle
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const SIZE = 16;
const CENTRE = { x: 8, y: 8.6 };
const RADIUS = 5.9;
/** Samples a pixel and axis: smooth edges without an image library. */
const SAMPLES = 8;

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

/** @type {Record<string, Shape[]>} */
const FIGURES = {
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

/**
 * How much of a pixel the figure covers, 0–255.
 * @param {Shape[]} shapes @param {number} column @param {number} row @param {number} scale pixels a point
 */
function coverage(shapes, column, row, scale) {
  let inside = 0;
  for (let i = 0; i < SAMPLES; i++) {
    for (let j = 0; j < SAMPLES; j++) {
      const x = (column + (i + 0.5) / SAMPLES) / scale;
      const y = (row + (j + 0.5) / SAMPLES) / scale;
      if (shapes.some((shape) => shape(x, y))) inside++;
    }
  }
  return Math.round((255 * inside) / (SAMPLES * SAMPLES));
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

/** @param {Shape[]} shapes @param {number} scale */
function png(shapes, scale) {
  const side = SIZE * scale;
  const rows = Buffer.alloc(side * (1 + side * 4));
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      rows[row * (1 + side * 4) + 1 + column * 4 + 3] = coverage(shapes, column, row, scale);
    }
  }
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

for (const [name, shapes] of Object.entries(FIGURES)) {
  writeFileSync(join(import.meta.dirname, `${name}Template.png`), png(shapes, 1));
  writeFileSync(join(import.meta.dirname, `${name}Template@2x.png`), png(shapes, 2));
}
