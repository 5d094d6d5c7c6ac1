/** What an act of the demo shows of itself while it goes on. */
export interface Act {
  /** What the colours of its picture mean. */
  readonly caption: string
  /** At most so many character cells. */
  picture(columns: number, lines: number): string[]
  /** How much of it is done, 0 to 1. */
  share(): number
  /** The same in words. */
  progress(): string
  /** Answers that this peer has given. */
  answersOf(peer: string): number
  /** Has it signed another answer than others? */
  differs(peer: string): boolean
}
