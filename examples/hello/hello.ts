export default function hello(input: { name: string }) {
  return { text: `Hello, ${input.name}` }
}
