// Dates: the clock stands still, and the zone is UTC.

const DAY = 86_400_000
const iso = (date) => caught(() => new Date(date).toISOString())

export const theClock = () => [
  Date.now(),
  new Date().getTime(),
  Date(),
  new Date().toString(),
  Date.now() === Date.now(),
]

export const formats = () => {
  const date = new Date(Date.UTC(2024, 1, 29, 23, 59, 58, 7))
  return [
    ...[
      date.toString(),
      date.toUTCString(),
      date.toISOString(),
      date.toJSON(),
      date.toDateString(),
      date.toTimeString(),
    ],
    ...[date.toLocaleString(), date.toLocaleDateString(), date.toLocaleTimeString(), date.getTimezoneOffset()],
  ]
}

export const parsing = () =>
  [
    ...['2024-02-29', '2024-02-30', '2024-02-29T10:00', '2024-02-29T10:00Z', '2024-02-29T10:00:00.123456Z', '2024'],
    ...[
      '2024-13-01',
      '+012024-01-01T00:00:00Z',
      '-000001-01-01T00:00:00Z',
      '-000000-01-01T00:00:00Z',
      '2024-02-29T24:00:00Z',
    ],
    ...[
      'Feb 29 2024',
      '29 Feb 2024 10:00 GMT+0200',
      'Thu, 29 Feb 2024 10:00:00 EST',
      '2/29/2024',
      '2024-2-9',
      '12:00',
      'x',
      '',
    ],
    ...['2024-02-29T10:00+05:30', '2024-02-29 10:00 PM', '2024-02-29T10:00:00,5Z', 'Jan 1 99', '1 1 49', '2024-W01'],
  ].map((text) => show(Date.parse(text)))

export const outOfRange = () => [8.64e15, 8.64e15 + 1, -8.64e15, NaN, Infinity, 1.9, -1.9, -0].map(iso)

export const components = () => {
  const out = []
  for (const time of [0, -1, DAY * 59.5, -62198755200000, 8.64e15, Date.UTC(1900, 1, 28), Date.UTC(2000, 1, 29)]) {
    const d = new Date(time)
    out.push([
      d.getFullYear(),
      d.getMonth(),
      d.getDate(),
      d.getDay(),
      d.getHours(),
      d.getMinutes(),
      d.getSeconds(),
      d.getMilliseconds(),
      d.getYear(),
    ])
  }
  return out
}

export const setting = () => {
  const d = new Date(Date.UTC(2023, 0, 31))
  return [
    d.setMonth(1),
    d.setDate(0),
    d.setHours(25, 61, 61, 1001),
    d.setFullYear(2024, 1, 29),
    d.setFullYear(2023),
    show(d.setMinutes(NaN)),
    show(d.setSeconds(1)),
    d.setTime(1e12),
    d.setUTCDate(-5),
    d.setYear(99),
  ]
}

export const constructing = () => [
  iso([2024, 0]),
  new Date(2024, 0).getTime(),
  new Date(99, 0).getTime(),
  new Date(2024, 12, 32, 25).getTime(),
  new Date('5').getTime(),
  show(new Date(undefined).getTime()),
  new Date(null).getTime(),
  new Date(true).getTime(),
  show(new Date({}).getTime()),
  caught(() => new Date(1n)),
  Date.UTC(2024),
  show(Date.UTC()),
  new Date(new Date(5)).getTime(),
]

export const everyDay = () => {
  let hash = 0
  for (let day = -800000; day < 800000; day += 997) {
    const text = new Date(day * DAY).toISOString()
    if (Date.parse(text) !== day * DAY) return text
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  }
  return hash
}

export const weekdays = () => Array.from({ length: 40 }, (_, i) => new Date(Date.UTC(1600 + i * 13, 1, 28)).getUTCDay())

export const easter = () =>
  Array.from({ length: 30 }, (_, i) => {
    const year = 1995 + i
    const [a, b, c] = [year % 19, Math.floor(year / 100), year % 100]
    const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30
    const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7
    const m = Math.floor((a + 11 * h + 22 * l) / 451)
    return new Date(Date.UTC(year, Math.floor((h + l - 7 * m + 114) / 31) - 1, ((h + l - 7 * m + 114) % 31) + 1))
      .toISOString()
      .slice(0, 10)
  })

export const primitives = () => {
  const d = new Date(1e12)
  return [
    `${d}`,
    d + 1,
    d - 1,
    +d,
    d > new Date(0),
    d[Symbol.toPrimitive]('number'),
    caught(() => d[Symbol.toPrimitive]('x')),
    JSON.stringify({ d }),
  ]
}

export const invalid = () => {
  const d = new Date(NaN)
  return [
    String(d),
    show(d.getTime()),
    caught(() => d.toISOString()),
    show(d.toJSON()),
    show(d.getFullYear()),
    d.toUTCString(),
    caught(() => Date.prototype.getTime.call({})),
  ]
}

export const subclass = () => {
  class Moment extends Date {
    plus(ms) {
      return new Moment(this.getTime() + ms)
    }
  }
  const m = new Moment(0).plus(DAY)
  return [m.toISOString(), m instanceof Date, Object.prototype.toString.call(m)]
}
