// Renders display equations with KaTeX as strictly as it can. In: a JSON list of equations on
// stdin, the folder of the package as argument. Out: a JSON list of "message: equation".
const katex = require(process.argv[2]);
const equations = JSON.parse(require("fs").readFileSync(0, "utf8"));
const wrong = [];
for (const [display, equation] of equations) {
  try {
    katex.renderToString(equation, { displayMode: display, throwOnError: true, strict: "error" });
  } catch (error) {
    wrong.push(`${error.message}: ${equation.slice(0, 200)}`);
  }
}
console.log(JSON.stringify(wrong));
