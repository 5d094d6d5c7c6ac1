/** What kinds of machines lend, and how long each stays. A stated model: sources are named where there are some. */

export interface DeviceClass {
  readonly name: string
  /** In 1,000 peers. */
  readonly permille: number
  /** Slots that it lends, and how fast each is: 1 is the machine by which jobs are measured. */
  readonly slots: number
  readonly speed: number
  readonly memoryMiB: number
  /** From it to its first router, one way. */
  readonly accessMsMin: number
  readonly accessMsMax: number
  readonly upKbitPerS: number
  readonly downKbitPerS: number
  /** Mean time for which it lends, and for which it then does not, over a day. */
  readonly onMinutes: number
  readonly offMinutes: number
  /** By day sessions are so many times as long as by night, and gaps so many times as short (`rhythm.ts`): below 1, it is in use by day. */
  readonly byDay: number
  /** In 1,000 of them, how many are behind a NAT, and how many of these behind one that no hole is punched in. */
  readonly natPermille: number
  readonly symmetricPermille: number
  /** Runs the agent of a machine, which keeps pieces of the directory; pages and phones ask others. */
  readonly carriesDirectory: boolean
}

const DAY = 24 * 60

// biome-ignore format: a table reads best with one row a line.
const row = (name: string, permille: number, slots: number, speed: number, memoryMiB: number, access: [number, number], kbit: [number, number], minutes: [number, number], byDay: number, nat: [number, number]): DeviceClass => ({
  name, permille, slots, speed, memoryMiB,
  accessMsMin: access[0], accessMsMax: access[1], upKbitPerS: kbit[0], downKbitPerS: kbit[1],
  onMinutes: minutes[0], offMinutes: minutes[1], byDay, natPermille: nat[0], symmetricPermille: nat[1], carriesDirectory: name !== 'phone' && name !== 'tab',
})

/**
 * A tab lends for 410 s on average (CrowdProcess, 8,900 browsers); a desktop mostly for one of two hours, as half of
 * the sessions of the public DHT are; of NATs three in ten let no hole be punched (the DCUtR measurements: 70 %).
 * 15 % of all know no hour, servers and routers: of the hosts of SETI@home 21 % came and went by chance alone, the others by the day.
 */
// biome-ignore format: a table reads best with one row a line.
export const DEVICES: readonly DeviceClass[] = [
  //   name      ‰   slots speed MiB  access ms  kbit/s up, down     minutes on, off     by day  NAT ‰, symmetric ‰
  row('server',  50, 4, 2.00, 8192, [1, 2],    [1_000_000, 1_000_000], [30 * DAY, 30],   1,    [0, 0]),
  row('desktop', 350, 1, 1.25, 4096, [1, 8],   [20_000, 100_000],     [120, 240],        0.7,  [850, 300]),
  row('phone',   250, 1, 0.75, 1024, [8, 30],  [10_000, 50_000],      [45, 180],         0.4,  [950, 500]),
  row('router',  100, 1, 0.50, 256,  [1, 5],   [20_000, 100_000],     [14 * DAY, 10],    1,    [300, 300]),
  row('tab',     250, 1, 1.00, 512,  [1, 12],  [20_000, 100_000],     [410 / 60, 60],    1.5,  [850, 300]),
]
