/** `pmset -g therm`. A line that is missing means nothing has been limited. */
export interface ThermalLimits {
  /** 100 is full speed. */
  readonly cpuSpeedPercent: number;
  readonly schedulerPercent: number;
}

export function parsePmsetTherm(text: string): ThermalLimits {
  return {
    cpuSpeedPercent: limitIn(text, 'CPU_Speed_Limit'),
    schedulerPercent: limitIn(text, 'CPU_Scheduler_Limit'),
  };
}

function limitIn(text: string, name: 'CPU_Speed_Limit' | 'CPU_Scheduler_Limit'): number {
  const [, percent] = new RegExp(`^\\s*${name}\\s*= (\\d{1,3})\\s*$`, 'm').exec(text) ?? [];
  return percent === undefined ? 100 : Math.min(100, Number(percent));
}
