import { expect, test } from 'vitest';
import { languageOf } from './languages.ts';

test.each([
  ['ts', 'typescript', 'TypeScript'],
  ['Python title="x"', 'python', 'Python'],
  ['jsx', 'tsx', 'JSX'],
  ['c++', 'cpp', 'C++'],
  ['', null, ''],
  ['brainfuck', null, 'brainfuck'],
  ['constructor', null, 'constructor'],
  ['__proto__', null, '__proto__'],
  ['<b>x', null, ''],
])('%j', (info, grammar, name) => expect(languageOf(info)).toEqual({ grammar, name }));
