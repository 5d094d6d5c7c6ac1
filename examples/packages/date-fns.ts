/** date-fns: the days of a contract that began on a given day. */
import {
  addMonths,
  differenceInCalendarDays,
  eachWeekOfInterval,
  format,
  formatDistance,
  isWeekend,
  parseISO,
} from 'date-fns'
import { de } from 'date-fns/locale/de'

export default function contract({ from, months }: { from: string; months: number }) {
  const start = parseISO(from)
  const end = addMonths(start, months)
  return {
    end: format(end, 'yyyy-MM-dd'),
    weekday: format(end, 'EEEE, do MMMM', { locale: de }),
    weekend: isWeekend(end),
    days: differenceInCalendarDays(end, start),
    weeks: eachWeekOfInterval({ start, end }, { weekStartsOn: 1 }).length,
    words: formatDistance(end, start),
  }
}
