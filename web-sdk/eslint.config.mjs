/** What the compiler does not look for. The types are its business: the parser only leaves them out. */

import parser from "@babel/eslint-parser";
import hooks from "eslint-plugin-react-hooks";

export default [
  { ignores: ["dist"] },
  {
    files: ["**/*.ts", "**/*.mjs"],
    languageOptions: {
      parser,
      parserOptions: { requireConfigFile: false, babelOptions: { presets: ["@babel/preset-typescript"] } },
    },
    rules: {
      "array-callback-return": "error",
      curly: ["error", "multi-line"],
      eqeqeq: "error",
      "no-console": ["error", { allow: ["warn", "debug"] }],
      "no-constant-binary-expression": "error",
      "no-duplicate-imports": ["error", { allowSeparateTypeImports: true }],
      "no-else-return": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-param-reassign": "error",
      "no-promise-executor-return": "off",
      "no-self-compare": "error",
      "no-template-curly-in-string": "error",
      "no-unreachable-loop": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": ["error", { destructuring: "all" }],
    },
  },
  {
    files: ["src/react.ts"],
    plugins: { "react-hooks": hooks },
    rules: { "react-hooks/exhaustive-deps": "error", "react-hooks/rules-of-hooks": "error" },
  },
  { files: ["*.mjs"], rules: { "no-console": "off" } },
];
