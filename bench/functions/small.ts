/** 1 kB of code. */
const WORDS = ['way', 'side', 'mesh', 'peer', 'home', 'task', 'seed', 'fuel', 'node', 'page']

const describe = (n: number): string => {
  const digits = String(n).split('')
  return digits.map((digit) => WORDS[Number(digit)]).join('-')
}

class Counter {
  #value: number
  readonly #names = new Map<number, string>()

  constructor(value: number) {
    this.#value = value
    for (let i = 0; i < 10; i++) this.#names.set(i, describe(i * 11))
  }

  next(): number {
    this.#value++
    return this.#value
  }

  name(): string {
    return this.#names.get(this.#value % 10) ?? 'nobody'
  }
}

export default (n: number): number => {
  const counter = new Counter(n)
  const next = counter.next()
  if (counter.name() === 'nobody') throw new Error(`${next} has no name`)
  return next
}
