import type { Preflight } from '../../preload/contract.ts';

export function verdictTitle({ verdict, ways }: Pick<Preflight, 'verdict' | 'ways'>, name: string): string {
  switch (verdict) {
    case 'go':
      return ways.length === 0 ? `${name} fits now` : `${name} fits after one permission`;
    case 'works-if':
      return `${name} needs a little room first`;
    case 'no':
      return `${name} does not fit this Mac`;
  }
}

export const CHECK_WORDS: Readonly<Record<Preflight['checks'][number]['name'], string>> = {
  memory: 'Memory',
  'working-set': 'What the GPU may keep',
  pressure: 'Memory pressure',
  disk: 'Disk',
};

export const WAYS_TITLES: Readonly<Record<Preflight['verdict'], string>> = {
  go: 'Asked when it is loaded',
  'works-if': 'One of these is enough',
  no: 'What would work',
};
