/**
 * Is a value that came from outside plain data of a bounded shape? Checked before any schema looks at it: structured
 * clone carries Maps, typed arrays and cycles, JSON carries `__proto__` keys and any depth.
 */
import * as v from 'valibot';

export interface ShapeLimits {
  readonly depth: number;
  /** Values in all, containers and leaves. */
  readonly nodes: number;
  /** UTF-16 units of all strings and keys together. */
  readonly textLength: number;
}

/** Null when the value is fine, else what is wrong with it, as the end of the sentence "The request …". */
export function shapeFault(value: unknown, limits: ShapeLimits): string | null {
  let nodes = 0;
  let textLength = 0;

  const visit = (current: unknown, depth: number): string | null => {
    nodes += 1;
    if (nodes > limits.nodes) return 'has too many parts';
    switch (typeof current) {
      case 'undefined':
      case 'boolean':
        return null;
      case 'number':
        return Number.isFinite(current) ? null : 'has a number that is not finite';
      case 'string':
        textLength += current.length;
        return textLength > limits.textLength ? 'is too long' : null;
      case 'object':
        return current === null ? null : visitContainer(current, depth);
      default:
        return `has a ${typeof current} in it`;
    }
  };

  const visitContainer = (container: object, depth: number): string | null => {
    if (depth >= limits.depth) return 'is nested too deeply';
    const prototype: unknown = Object.getPrototypeOf(container);
    if (Array.isArray(container)) {
      // A sparse array of length 2³² − 1 is small on the wire: look at the length before walking.
      if (container.length > limits.nodes) return 'has too many parts';
    } else if (prototype !== Object.prototype && prototype !== null) {
      return 'is not plain data';
    }
    for (const key of Object.keys(container)) {
      textLength += key.length;
      if (key === '__proto__') return 'has a forbidden name in it';
      const fault = visit((container as Record<string, unknown>)[key], depth + 1);
      if (fault !== null) return fault;
    }
    return textLength > limits.textLength ? 'is too long' : null;
  };

  try {
    return visit(value, 0);
  } catch {
    return 'cannot be read';
  }
}

/** What a text says, as this schema has it; null when it is no JSON or something else. */
export function parsedJson<S extends v.GenericSchema>(schema: S, text: string): v.InferOutput<S> | null {
  try {
    const result = v.safeParse(schema, JSON.parse(text));
    return result.success ? result.output : null;
  } catch {
    return null;
  }
}
