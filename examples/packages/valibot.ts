/** valibot: what a form holds, or what is wrong with it. */
import * as v from 'valibot'

const Form = v.object({
  name: v.pipe(v.string(), v.trim(), v.nonEmpty('give a name')),
  age: v.pipe(v.string(), v.transform(Number), v.integer('a whole number'), v.minValue(18, 'grown-ups only')),
  colour: v.optional(v.picklist(['red', 'green']), 'red'),
})

export default function read(forms: unknown[]) {
  return forms.map((form) => {
    const { success, output, issues } = v.safeParse(Form, form)
    return success ? output : v.flatten<typeof Form>(issues).nested
  })
}
