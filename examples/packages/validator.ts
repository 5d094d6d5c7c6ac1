/** validator: strings of many kinds. */
import validator from 'validator'

export default function check(texts: string[]) {
  const kinds = {
    email: (text: string) => validator.isEmail(text),
    url: (text: string) => validator.isURL(text),
    iban: (text: string) => validator.isIBAN(text),
    card: (text: string) => validator.isCreditCard(text),
    ip: (text: string) => validator.isIP(text),
    date: (text: string) => validator.isISO8601(text, { strict: true }),
  }
  const kindsOf = (text: string) =>
    Object.entries(kinds)
      .filter(([, is]) => is(text))
      .map(([kind]) => kind)
  return { kinds: texts.map(kindsOf), safe: validator.escape('<a href="x">&</a>') }
}
