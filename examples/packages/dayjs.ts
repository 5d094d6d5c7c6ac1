/** dayjs: a plan of dates in UTC, with two of its plugins. */
import dayjs from 'dayjs'
import isoWeek from 'dayjs/plugin/isoWeek.js'
import utc from 'dayjs/plugin/utc.js'

dayjs.extend(utc)
dayjs.extend(isoWeek)

export default function plan({ first, every, times }: { first: string; every: number; times: number }) {
  const start = dayjs.utc(first)
  return Array.from({ length: times }, (_, i) => {
    const day = start.add(i * every, 'day')
    return `${day.format('ddd D MMM YYYY')}, week ${day.isoWeek()}${day.isSame(day.endOf('month'), 'day') ? ', month ends' : ''}`
  })
}
