import { expect, it } from 'vitest';
import { parseLsof, portHolder } from './port-holder.ts';

it.each<[string, string | null]>([
  ['p312\nccom.docker.backend\nf43\n', 'com.docker.backend (process 312)'],
  ['p77\ncControl\\x20Center\nf9\np78\ncother\n', 'Control Center (process 77)'],
  ['', null],
  ['p312\n', null],
  ['lsof: WARNING: something\n', null],
])('%j', (text, holder) => expect(parseLsof(text)).toBe(holder));

it('asks for the listener of this port alone', async () => {
  const asked: (readonly string[])[] = [];
  await portHolder(
    {
      run: (_name, args) => {
        asked.push(args);
        return Promise.resolve({ code: 0, stdout: '', stderr: '' });
      },
    },
    8_080,
  );
  expect(asked).toEqual([['-nP', '-iTCP:8080', '-sTCP:LISTEN', '-Fpc']]);
});
