import type { Preflight } from '../../preload/contract.ts';

export function verdictTitle(verdict: Preflight['verdict'], name: string): string {
  switch (verdict) {
    case 'go':
      return `${name} fits now`;
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
