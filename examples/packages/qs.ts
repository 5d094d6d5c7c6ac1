/** qs: nested query strings. */
import qs from 'qs'

export default function query(text: string) {
  const parsed = qs.parse(text, { ignoreQueryPrefix: true })
  return {
    parsed: JSON.parse(JSON.stringify(parsed)),
    text: qs.stringify(parsed, { encode: false, arrayFormat: 'brackets' }),
  }
}
