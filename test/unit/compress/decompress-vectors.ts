// What the real tools make of contents that tests can make again. Each row was made with the command it names:
// zstd 1.5.4, xz 5.4.1, bzip2 1.0.8, the content on standard input, the result as base64.
import type { Compression } from "../../../src/compress/detect.ts";
import { noise } from "../../support/memory-blobs.ts";

const NOISES = [0, 3, 4, 9, 31, 32, 33, 100].map(bytes => noise(bytes));

const CONTENTS = {
  short: Buffer.from("A layer of an image.\n".repeat(4)),
  /** More than a block of zstd, and than a block of bzip2 -1. */
  lines: Buffer.from(
    Array.from({ length: 6400 }, (_, i) => `${i % 7} blobs, ${(i * i) % 17} bytes, digest ${i >> 10}\n`).join(""),
  ),
  zeros: Buffer.alloc(1_000_000),
  noises: Buffer.concat(NOISES),
} as const;

export interface Vector {
  readonly compression: Compression;
  /** How it was made. */
  readonly command: string;
  readonly content: Buffer;
  readonly file: Buffer;
}

const ROWS: readonly (readonly [Compression, keyof typeof CONTENTS, command: string, base64: string])[] = [
  ["zstd", "short", "zstd -19", "KLUv/QRo5QAAqEEgbGF5ZXIgb2YgYW4gaW1hZ2UuCgEAidJkAkZjRfs="],
  ["zstd", "short", "zstd --no-check", "KLUv/QBY5QAAqEEgbGF5ZXIgb2YgYW4gaW1hZ2UuCgEAidJkAg=="],
  [
    "zstd",
    "lines",
    "zstd --ultra -22",
    "KLUv/QSIdAYAMo4dFKCpWAxA3WOfP1Sx94ns3urLr1Mju7u////+7u5/VtKseJpF43JWNCtnluS4nFY0y5lF44qnFTnLWdG4nGZJzuJZ0Syn" +
      "FTmueFbSLGdFzuJpljQrZ0WzOCU5tC1zArtrQDUPEBVHwXAgGDgKioWhGDiMBMJQAoCWqCGovv8dsJUU0hoSOETwHYKv36/9MxpFbGhzBYIM" +
      "6tLjnCoGOcEOdIM44DQ6xAnGkJdAatlTgiZl5P0uSaxGrsxrF34ZV4MM8Ls5GAIcH/BpqwJ0AgCiTAsF8DkjIgkVEVFRVUVFRFRUVVERERVV" +
      "VVRE/5wk55+T5Pxzkpx/TpLzz0ly/jmAl9wAdUIHLzRwUgfiy6BDeCWF03JYJYXXYlglV+J8AgCijAsF4A9ZQgI5Sc4/J8n55yQ5/5wk55+T" +
      "5PwzKqqqqIiIiqoqKiKioqqKioioqKoigJbcAJ2FDl7IoJUOXMjQlVxiGWTJ4pQMXk3hlNjKpAIAwswKBeAPaEkC5yQ5/5wk55+T5Pxzkpx/" +
      "TpLzz0ly/jlJzi8ioqKqioqIqKiqAoCX2AAS+P/76/8fB6E9cKLBRYOLBi4aXDS46OCiRzK4VxlubdABlQQAFhQUBfA5MzIJDgANABUAJDn/" +
      "nCTnn5Pk/HOSnAH9OUnOPyfJ+eckOf88FRURUVFVRUVEVFRVURERFVVVVEQEFVVVVERERVUVFRFRUVVFRURUVBWA76gg6gPw2d8S+P/z6//P" +
      "cKLOTT1X6nNTn5f2vKnXZT1fao1VBsUtDN4isVaCt8i4jeBdFO6iNWYkw/JrEwi5Ta0e",
  ],
  ["zstd", "zeros", "zstd", "KLUv/QRYVAAAEAAAAQD7/znAAgIAEAACABAAAgAQAAIAEAACABAAAgAQAAMSCgDMrso5"],
  [
    "zstd",
    "noises",
    "zstd, a frame for each of noise(0, 3, 4, 9, 31, 32, 33, 100)",
    "KLUv/SQAAQAAmenYUSi1L/0EWBkAADxegZU9jWUotS/9BFghAAA8XoG0PEs9kSi1L/0EWEkAADxegbQMXsaOBGKQvVYotS/9BFj5AAA8XoG0" +
      "DF7GjgSjQGyX1jz73FOuiDcaElEhtZVhQ8DuBIC+CCi1L/0EWAEBADxegbQMXsaOBKNAbJfWPPvcU66INxoSUSG1lWFDwO4tHaupkii1L/0E" +
      "WAkBADxegbQMXsaOBKNAbJfWPPvcU66INxoSUSG1lWFDwO4tVaR8dR4otS/9BFghAwA8XoG0DF7GjgSjQGyX1jz73FOuiDcaElEhtZVhQ8Du" +
      "LVX7Y4x3/uC29fknX68pfiyX31QE8zvUBmILWCHPaCWcy+4CB//NdGSr97t9aiXmv6KUiQ1rkPJWxkbp8G5uWgWpv3F/nhClzA==",
  ],
  [
    "xz",
    "short",
    "xz",
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ABTAB1dACCICYYUBXrYv15Fc6qryRzX9CXUF/CNAbcEMAAAAAAAAPvxqZn6p1HwAAE5VHytBEIf" +
      "tvN9AQAAAAAEWVo=",
  ],
  [
    "xz",
    "short",
    "xz --check=crc32",
    "/Td6WFoAAAFpIt42AgAhARYAAAB0L+Wj4ABTAB1dACCICYYUBXrYv15Fc6qryRzX9CXUF/CNAbcEMAAAAAAAAKVxXOMAATVUcOKx7pBCmQ0B" +
      "AAAAAAFZWg==",
  ],
  [
    "xz",
    "short",
    "xz --check=sha256",
    "/Td6WFoAAArh+wyhAgAhARYAAAB0L+Wj4ABTAB1dACCICYYUBXrYv15Fc6qryRzX9CXUF/CNAbcEMAAAAAAAAGwyRl4I4YbIXTH2Ikexrl/M" +
      "hLEBN2UZK4aheq/Ly3bLAAFRVNNMIO8Ym0uaAQAAAAAKWVo=",
  ],
  [
    "xz",
    "short",
    "xz --check=none",
    "/Td6WFoAAAD/EtlBAgAhARYAAAB0L+Wj4ABTAB1dACCICYYUBXrYv15Fc6qryRzX9CXUF/CNAbcEMAAAAAAAAAABMVR0J92KBnKeegEAAAAA" +
      "AFla",
  ],
  [
    "xz",
    "lines",
    "xz -9e",
    "/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4qvRBO1dABgICMex/CeJ4cKMy5eqGX/pUF/oPn83sMpF1Jbxc4S2Xcf8A9EH8t+gV1pCdQ7ohWrd" +
      "6kmlIxl8HLV6BOHlUqHpL4DDln+4F69YhxsHiP+qeYonCuKs+lNc2wJS2YKUH+jN0KroULtOzneA8grVwfzSeXAK+qFoJpfrXlp1XBH6ggGQ" +
      "Wh+fv1ly+QlZw9L/eMVyA0G/TXC9djlPOF/muMW4PQ8LC8/Jg3UAeMg0c/JffM19M20P3poAnbJJz8dgZ8DEGti1OTzr9xjTZCj1SwEpVRuT" +
      "8f8IGtegIPk0BG1oFR64K4N5vTqUnC/O54FikJnyj9YVeFkSSDOd+MVKAvTusocPBMQ2boIdPYq4jHpfN2gqVeoY0Ndxr06SI49fDAXnWTxG" +
      "IKUov67UOxljBMk8H77zKG78SE7AFWfaAr1Y6WGUKDQwuk39YkuWpNev0sPyL5k0lOT5FjEYH8xzO8JscxGO0YFZabrHVUIzB8gcr7fJ+INR" +
      "oXoZOzGjoRxRwPmBxqCTJskOit0ieo8SeUWIhDnBk+cAAsmszs29vNDnug21VuP7Fr9MaKaumkHM4AvX/2qvv+ZtvPP69fH11aRgxsNY6GqK" +
      "JKf+4vSiOoCt6s1LCpda9Rt+Ga0IHjaSD6gaMHvRVJ+IWYp+zAnynJlkKR9/RStLcyUbocoXooiW6zqrLfPXZqXJ2cebnnrHOPrzLYHR7EHo" +
      "gHn6c/vw8pjwRMY2zHM1qYDSvdc3Dq0QRZvCPqNPU0MMP5Ic1GGVMIcHFpuReuHBX0YX+j/ZXlleGkbBy/cNvJUKJd5NyO1f6qnN2v7hDCI4" +
      "e0aYx2jXwm6F9CfKBffUJgfvMrXkTqvU/W7yQXSeGJHgMha1zTrz7a7UOSiCVR6lLjrhwv0wdJimM1RkYGNEZZ7AgNOkpoNljoXmm8zBjRkf" +
      "X4l1Q5mkKb10mYfCfHYCVStRsIyww/ceCTY7PUClQJHdw0QdoGK59MIwlLo2a2jK6gawYilTZYoff5vInlOHLQ60Cp2S1QxPFMnxGYTGgrkt" +
      "4tdG3dXq0HH81FV+pmoAnSqDVENMBJlLmLf06FR++K2M6d95s3IxEljsv/ahmGgmCBHSzLmQH/nWl0EfqcO3rRqMiXLEskvcs5lcWEsj1P2M" +
      "T7K7P0e5Hw8dXZt6ZQsbZ6SDNP90JNTZdjFW01uk5DL1fmbJkHaNe93co2MOj1mxnEGXkqeNFXbvVhQyNgi7GEEKjp8BaRrmtz5iNfcpvQ9X" +
      "VSijTI8aAa31+KR4uWM9ahV3w8/D5jzgqWDrTUufRXh/LYcRgyb5+G0FJhX8vS8YqXl8F0pHFI6NXv8W2a2VaGnNlC6CUahJex0QtnHRbJ5/" +
      "HpLZk8AQSrdT4LRIYRn0yh3olsi0eItwAk3xqdi4SKvM9gWBuYHnoGMW9OfB9pbXyn+PMwIE3RI80IT++giuVDiA7chiWUdsNk2azHVSaVp+" +
      "GSikWj3BlvpexErAYZc66dCK9V6PTMCV9BDbVikPrEKu3RX3rjWN+TShO0whP3WL3bNyDbjkktf8sxNPw5QlsPtMzVQZuxL+GA/oKn34nqrk" +
      "LSJKB1Ew7lXR1Au06Uqd4mlWF602aY3kdtq6frnqWXCceERmjx5SqWznSKCo4vLtp4AT0DPjComy5MA3/G5D1qTByoyPFcwr+bqgRAAAAAAA" +
      "xt9Uts5JXhAAAYkK0tcKAEEzLk6xxGf7AgAAAAAEWVo=",
  ],
  [
    "xz",
    "lines",
    "xz -T1 --block-size=100000 --lzma2=dict=4KiB,lc=1,lp=3,pb=1",
    "/Td6WFoAAATm1rRGAgAhAQAAAAA3J5fW4YafA09JABgICKkxnErrJcgqtFaJOoyCMLT4/RrC6b9f9ad9DIzLASSaBlIhG+3to9xAW8IH9ZA+" +
      "XWm856IDLcmUeEYUKyOxbwAMAprFjWrJxjrzRUWTZZfIWOy7/OsZ+K6JIPo9h6eOpXkvyqjuA5mSGk2xoQPLI4ev0yXi/KROo/pIGW5mpNgN" +
      "3rDWhih7nmF4kyHdx223AS8yOMHGZmLJtIZMVGRhOMz/Zwa4IB1FAvkL9MqUG6OxTrOT0vCkoLpnnkI+IK2lAvutE7PzPdY8EufKhKGsuaCO" +
      "QpTT8CjBjMgbKkelCAijyRN2fXhV3XcW5TDvUpIjnl1S0IDUNwGBIq7A00TfYBhnhtwHMQFZnubrJHhaxGowk64y+TL6HShYQSfSZXtA6SxQ" +
      "lClzS9bwCujo3I3LwyPFALKc7ZYlwkV6W4uzW4Ig54HiuGAQUnPNhsenQbkM94gsTXEqw6Z76SS0VEoNup0/+lpcVauIU8v4PxDly8YLv0pe" +
      "wYfBInnA3MlkyvUJzXtFtnnNTL1NZuaYNc37UDCfO8qXST7WGmIbXN4TxTWklvx26JUlt63/ktieBhwOe4L8CJ4VysS9ltrZKw3m0DRKSqtV" +
      "FVHlQSmWUeQRGmZ9izghv9d8x+gVtQhUed2SptqR1f3QG0hVwFbBs3uf4Zgq1SNQIyrvLPd066+jiP1fb+VrBc4/RcUMY+HfVWas+mZnZ/KK" +
      "qFs1N+0BaodVC4MtVyRySL/hxg62w6yFP913Ye9PxbHyIa71eEJ9QIhZk/2d1MASDNZAL5tUJiIcRPkqIEOATNwq9vvGNcFbTycsU8hrwynh" +
      "osYViyd5bSThRcCwmVGxGbFzOHhbRzSx3iW92jVbF7fabYzx+VPpXSbZ2v+aDEKBHnnwVYU9/E05LuwmR1mRmTCEd3yMQtmN4CF3qSioi1HP" +
      "qYfaRgda/B3MlfOlJAuGnALtaF/isLJ50dZgUpX0GwOf9D6eHO544PLSvC/z2UYib1TM2x2zufD+IEX4SOWmxpTjpOWpgQX33ijO98i1GHm0" +
      "Hx6IAFICAAZ30lRfT+wk066626hPOvyYXCTpG9lMy3Tv2at4o3+hDKF8FiSZEG6o+CfmWTcf2Z7FslMh6GVz/QQyAAAAAPx/MEfGE1raAgAh" +
      "AQAAAAA3J5fW4SUxA6FJABmCgnQj9xLQPcwayT74YToOEeYSwfep58z5bHHah++TzbBQ7Fgbh7I0eGu3gRcSGjaf0zFi7dkjj28mcIuHlHz1" +
      "MmqBQ8q+LAd5py+aiHjdRXxyjHKSym9n4sfFsfYJ4/Sm+8QBCgWfCsBSN0MmD7faHkzmi45I1BJe+1c5x4ARvSWJLIbWlPYIrb9M6hF6KVEH" +
      "+fdBKIJDIy5Eu9WokN/levg7Jb8/h5jeaf2RtfeVSyuTdipsT+C3JponYXSItIIlsevRtiiY9ppZfI4Rm8yKDuV3FMJ3PvXAug5tgyMHhE8u" +
      "Z32zpDHKoqFyWsfI7jgCwq2/rI8DzHlpoOknb5OpEXQdw/12gaVEnXlToQ67AXeQV+smkNXTRQce+5YnG+WmIm/TxdrvYKp9+k6WMe/XXDgG" +
      "qdU/U+AIu4tejLzg9G3zjpUoIeIilJ8CrZd3rxaVI/iK70X6Mr8z11SoQH4L/Aoa0w1zqcNEPaE90aMjGqW5oiEbZwHkRgqCH1wbEMPvXLB9" +
      "3Ad2UAU68qgXAeJsfXOUhPvkuFatqEVViGfZgWdogcZuAkhr45FHelnMmhM8n3NWQi/7FzBDrTEU92VuhSXkY51yqlRYRuJeFigVbnxUPwzf" +
      "e7bwl6qajZpyji6ZVC/YZz/Oe+QRIPXuHfNAwMxudThg+GWhcNVlsIC7FposlcJ6/tVPXtV8ER6Eci/WNffllwYhwgpzRciSWl3Pm7YS2XK4" +
      "LPeCcqzmaJyxMjYnNbqa9aJ7gagE6ibHUCkPaoFmPZu/fLf0HCU8Tg0xHLpjDBrhyw7ltZUWBd55lpQ3QqeE6VJ0NK6Yzb4ei1puvdQlMW77" +
      "MIFVsqXgL4BJsOktvnLYdS/sM8UiCtOryCCRYgEIZmH8pNHoZvxeG4csX+1OpqFWaGRvbvsuHBXqopdOWkd2v9ivTAEIqODI7bSlMrTjMfNs" +
      "3lwdhmWrW9ur+Xw+7QFdo6e8Uy4gPXKiQ+z3TEhiEJQDnyQaWkiWcKX5kFp8r8GWP4bdSstzOoIxdX5ob6Dq2rALPjawgHH83ryV/ArknfTo" +
      "5Nvb9gOTYwE8/MwW7WC+eZoRucjC4v+4RRNNWjKPKPa7iIlsynByHkOgsmZHsiizE8zCq7RmkPyVzs8xIDr5IMuPLhc/SPRm+PDtP9NKH+BL" +
      "/Z//Cjc8Gv9mTBqVzRlnDSgU9aoeiy9i/hAPF6NaNbUKa/wjkRp60A856J+JZA8+qH5vVjcAAAAAADnwQ/DCa3YiAALrBqCNBr0HssoEvlpW" +
      "jxQXOzADAAAAAARZWg==",
  ],
  [
    "xz",
    "zeros",
    "xz",
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj70I/ANFdAABv/f//o7f/Rz5IFXI5YVG4kijmo4YH+e7kHoLTL8U6PAFLsX7JiopNL6MN2X+m44wj" +
      "EVPgWRjFdYrid/i2lH8MasDedElk4ulcU7IE2PdEDKtfDW1G6eXDdoi3llestk3haR1v+0uIEGxCy4g/XACP0E6vJiiUcR89jyThcJ6nI1/s" +
      "KMuF0ZWYin4qkfIndfcZwAaYTZj92K/VkA/EJVP49ZE2MQWlsO5vwXBNRwzRkRGqrWAdus6xJxhcWYbpZlJYvul2rFnk5VsFCPmTwz82AAAA" +
      "ADKzVZfu0uHjAAHtAcCEPQDV4HauscRn+wIAAAAABFla",
  ],
  [
    "xz",
    "noises",
    "xz",
    "/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4ADTAH1dAB4XjDCEtIj369VC6tv6JLf2GCZcCzVsHncHaucFDu7uPgr9XcKaqdWW9GfMFJZyy6GA" +
      "j3JqP1pNTxndDZ92FR4fDYstIvGyA83VJ5IVoZHL+6a51rFe/suPZeWyg5EMD8y65/etByqDP/dS3aVYWDSkFu9Zb+XpSpqhOlAAAAAAAGx6" +
      "QEPgQg2kAAGZAdQBAAAf/qhsscRn+wIAAAAABFla",
  ],
  [
    "bzip2",
    "short",
    "bzip2",
    "QlpoOTFBWSZTWREDwD8AAA3VgAAQQAEgACOnkCAgAFCmAAAqo0mTJjUgwbLnTJg4ZOGySTpcSQQaIPxdyRThQkBEDwD8",
  ],
  [
    "bzip2",
    "lines",
    "bzip2 -9",
    "QlpoOTFBWSZTWXtJ6dEAZgBZgAAQQAR/YBakjCBgEv8AAAAAAAAAAAAAAAAAAAAAAAAAUaMgaNMjQo0ZA0aZGhRoyBo0yNCjRkDRpkaFGjIG" +
      "jTI0ClSQ/1TVUpiD1P1H9fR+jD2Ox/QzQ0MjQ0NDTQ0MjQ0NDTQyMGRoaGNDIwZGhoY0NDI0NDQ0yMGRoaGRjIwZGDIyMaGRgyNDQxho0YaM" +
      "NZGhoZGhoYyNDQyMGRjBkZGDIwZaGhoaGRoY0NDQ0MjQxkaGhkYMjGRoaGRgyMaGhoaGRoY0YaMNGjNDI0NDQ0NNDI0NDQ0MZGDI0NDIxkYM" +
      "jQ0MjGhkaGhoaGmhkYMjIwYwZGDIyMGMjBkaGhkY0aMNGGjNDQ0NDI0MaGhkYMjQxkZGDIwZGNDQ0MjQ0MaGhoZGhoY0NDIwZGhpgyMjBkaG" +
      "mRoaGRoaGMNGGjRhmRoaGhoZGMjQ0NDQyMYMjQ0MjBjQyNDQ0NDTQyNDQ0MjGRgyNDQyMZGDIyMGRjBkaGhkYNNGGjDRozQ0NDI0NDGhoaGR" +
      "oaGNDQyMGRoZzjQ0MjQ0NDTQ0MjQ0NDGhkYMjQ0MZGRgyMGRjQ0MjBkaGmjDRow0ZoaGhoZGhjBkaGhkYNMjBkZGDIxkaGhoaGRjI0NDQ0Mj" +
      "GDI0NDIwaYMjIwZGDTI0NDIwZGP4AH/UVTgAcoKpwAOQqnAAchVOAE4hVPI7HR2Ox0djDRow0aMNGGjRhho0aMMNGjDDRo0YaNGjDDRow0Zm" +
      "szM0NDI0NDI0NDQ0MjQ0NDQyNDQ0NDQ0NDQ0NDQyMjQyNDI0NDQ0NDQ0MjQxpjTGMYNDI0NDI0MjQ0MjQwaGhkaGhkZGhoaGRoYNDIyNDBoZ" +
      "GhoYNDI0NDI0NNMYxjGRoYMjIwaGDIyMGRkaGRgyMjBoZGRkYNDI0MGDQyNDBkZGRoYMjIwaH3GPJjGNMjQ0NDQ0NDQyNDQ0MjQ0MGhkaGhk" +
      "aGRoaGRoaGhoZGhoaGhkaGhkaGhoYxjGNNMjQ0NDQ0NDQ0NDI0MjQ0MjQ0NDQyNDQ0NDI0NDQ0MjQ0NDQyNDQ0NDI0MaY0xjGDIyNDQyNDIw" +
      "aGRoYMjQyNDBkZGDQ0MjIwaGRkaGDIyNDQwZGRg0MjQ0xjGmMYMjIwYMjIyMGhkZGDI0MjQwZGRg0MGRkYMjIyMjBkZGDBgyMjBoZGRpjGNM" +
      "YyNDQyMjBoaGRoYNDI0NDBoZGhoZGRkaGhkaGDBoZGhgyMjI0NDIyMGhjGMY00+jwfo+R9H6OD/Mf5D7Hkex+jsdHI+DyOxo7GHB6Oo+jyPY" +
      "/R2OxwfI8jow7Gjkejsc5H0eD2Pw6OxyPkeDsaOjRyPY6H2PI9H4dHY5HweR2NHYw4PY6H2PI9j9HY6OD5HkdGHYw5Ho6j6PB7H6Ox2OD5Hg" +
      "7GHRo5HsdR9jwej8Ojscj5HkdGHY0cj2Oo+jwej8Ojscj5Hg7Gjo0cj2Oh9jyPR+HY6OR8HkdjR2MOD0dh9jyPY/R2Ojg+R5HRh2NHI9HUfR" +
      "4PY/R2OxwfI8HYw6OaPI9jqPseD0fh0djkfB4Oxo6NHB7HQ+x5Hsfo7HRyPg8jo0djDg9HUfR5Hsfo7HY4Pg8jsaOxhwejsPseR7H6Ox0cHy" +
      "PI6MOxo5Ho6j6PB7H6OjscHyPB2NHRo5Hsdh9jwej8Ojscj4PB2NHYw4PY6H2PI9j9HY6OR8HkdGHYw5Ho6j6PI9j9HY7HB8jyOjDsaOR7HU" +
      "fY8Ho/Do7HI+R4Oxo6NHI9jofY8j0fh2OdHkfI8HY0dGjkex2H2PI9H4dHY5HweDsc0djDg9jofY8j2P0dj0cj4PI6MOxhyPR1H0eR7H6Ox2" +
      "OD5HkdGHRo5HsdR9jwej8Ojscj5Hg7Gjo0cHsdD7Hkej9HY6OR8HkdjR2MOD0dR9Hkex+jsdHB8jyOjDsaOR6Oo+jwex+HR2OR8jyOjDsYcj" +
      "0dR9Hg9j9HY7HB8jwdjDo0cj2Oo+x4PR+HR2OR8jwdjR0aOD2Oh9jyPY/R2OjkfB5HY0djDg9HUfR5Hsfo7HRwc+RyOjDsaOR6Oo+jwex+HR" +
      "2OR8jwdjR0aOR7HQ+x5Ho/Do7HI+DyOxo7GHB7HQ+x5Hsfo7HRwfB4Oxo6NHB7HQ+x5Hsfo7HRyPg8jo0djDg9HUfR5Hsfo7HY4PkeR0YdjR" +
      "yPY6j6PB6Pw6OxyPkeDsaOjRyPY6H2PI9H4djo5HweR2NHYw4PY7D7Hkex+jsdHB8jyOjDsYcjno6j6PB7H2Ox2OD5Hg7GHRo5HsdR9jwej8" +
      "Ojscj99fLr47Zx67Prx6/OuuPl46zrXL10+vHr8664+PHbOs49dPt49fnXXHx46zrOPXT68e36664+PHWdZx67Prx6/Ou3Hx46zrOPbp9ePX" +
      "511y+PHWus49dPry9fnbrj+gCL+ACL/QAf6oiuRVJyiK5QVVxEVyFUuIivQqngAeIiuQqlxEV5CqeAHiIryFU8QqVfwAi4AIv+wCL+wCL/8A" +
      "i/sAi/sAi/gBFwAi/gAi/wARf7AIvgBF/wXckU4UJB7SenRA",
  ],
  [
    "bzip2",
    "lines",
    "bzip2 -1",
    "QlpoMTFBWSZTWTsw3P8AOxzZgAAQQAR/YBakjCBgC18AAAAAAAAAAAAAH0gUaMgaNMjQo0ZA0aZGhRoyBo0yNCjRkDRpkaBSpIAMhp6gKVJ6" +
      "k/U1VI0AGD2Pw2ZDIYjEyGQxGJkMRgYmQxGBiZDIYjIxGBiMTEYGIxMhiMDKYMjIwxGQyGJiMhkMTAxGIyMhkMhiZDIZDExGQyGJiMhkMTIZ" +
      "DIYmRgyMmQxGQyMhiMhkYjAxGJiMDEYmQxGQxMhiMDEwMRgYmIwMRiZGRgyZDIZDEyGQxGRiMRgYmQyGQxMhkMhiZDIYjIwMRiMTEZDIYmDI" +
      "wZMRkMhiYjIZDEwMRkMjIYjIYmQxGQxMRgYjExGBiMTAxGQyMjBkZMhkMhiZDIZDEyGQxGJkMhiMjIZDEZGQxGBiYjEYGJkMhiMTIwZGTIZD" +
      "IYmBiMhiYjAxGJiMhkMTEZDIYmBiMhiYGIyGHOGIyGQxP+gB9UlwAOCpLgAcVJcqEcSCe/0jY8GxsfwP6Ro2NjRsbGjY0bGxo0bGzZps2bNm" +
      "w2Go2Gw1Gw2Gw2Go2Gw2Gw1Gw2Gw2Gw1NTU2NTU1NDYajYbDUbDUbDYajYaGw2Go2Gw1Go2GpqamxsampqNhoajUaGw0NRqNDUajYajQ1Go0" +
      "NhqNTU2NTU2NTUbDYbDYbDYbDUbDYbDUbDYaGw1Gw2Go1NTU1NTU2NRsNhsNhsNhsNhsNRsNRsNhqNhsNhsNRqbGpqampsaGo1Gw2Go2Go0N" +
      "hqNhoajYajYaGo1GhqampqbGpqaGo1GhoajUajQ2Go1GhqNhqNhoajUaGxqampqampqNhsNRqNDYbDUbDQ2Go2Gw0NhqNhsNRqampqamxqej" +
      "wfoyPR+jg/mP5D2PI+j9HY6ORg8jsbHY0cHw6j0eR9H6Ox2ODI8jo0djY5Hw7HOR6PB9H4dHY5GR4OxsdGxyPo6HseR8Pw6OxyMHkdjY7Gjg" +
      "+joex5H0fo7HRwZHkdGjsaOR8Oo9Hg+j9HY7HBkeDsaOjY5H0dR7Hg+H4dHY5GR5HRo7GxyPo6j0eD4fh0djkZHg7Gx0bHI+joex5Hw/DsdH" +
      "IweR2NjsaOD4dh7HkfR+jsdHBkeR0aOxscj4dR6PB9H6Ox2ODI8HY0dHNjyPo6j2PB8Pw6OxyMHg7Gx0bHB9HQ9jyPo/R2OjkYPI6NjsaOD4" +
      "dR6PI+j9HY7HBg8jsbHY0cHw7D2PI+j9HY6ODI8jo0djY5Hw6j0eD6P0dHY4MjwdjY6NjkfR2HseD4fh0djkYPB2NjsaOD6Oh7HkfR+jsdHI" +
      "weR0aOxo5Hw6j0eR9H6Ox2ODI8jo0djY5H0dR7Hg+H4dHY5GR4OxsdGxyPo6HseR8Pw7HOjyMnk7NnZs5Pp2PZ5Pp+nZ2cmTydmzs05Pp1PZ" +
      "5Pp+nZ2cmTydNOzZyfTqezyfT9Ozs5Mnk7NnTZyfTqezyfH6dnZyZPJ2bOzZw+nU9nk+n6dnTkyeTs2dmzk+Op6eT6fp2dnJk8nZs7NnJ9Op" +
      "7PJ9Px07OT+KhFZVCK1ADbZIGlSUYpA4KknEgckqriQOqkuJA8VJcSB4qS4kDCpLQqSzgRFYqEVhUIr1UIreoRX2oRW9QiuoiKyIisVCKyqE" +
      "V4qEV+qEVwqEV/MUFZJlNZObGSHABye9mAABBABH9gFqSMIGAJ3wAAAAAAAAAAAfSBRoyBo0yNCjRkDRpkaFGjIGjTI0KNGQNGmRoFKlAA0H" +
      "qeoClSepP1NVSNABp9HR/DKyGQyZWQyGTBkMhhgyGQwwZDIZMrIYjDFiMRhgyGQwyyMGWDIZDDBgYjDKxGBiysRkMMrEZDDBgYjDBgYjDKxG" +
      "QwyyMjGDIZDJgyGQwyshiMMrIYjDKyGQyYMRgYYMRgYZWQxGGGDIxlYjIYZWIyGGDAxGGDIZDDBkMhhlYjIZMWIyGTBkMhhhkYMZWQxGGVkM" +
      "RhgxGBhlZDIZMrIYjDKyGIwwYGIwwYjAyZZGRjBkMhhgyGQwxYjEYYMhkMmDIZDDBkMhhgwMRhixGQyYYMjGViMhhlYjAyYMDEYZWQxGGVkM" +
      "RhlYjAyYMRgZMGBiMmhVL/sVKcoJwAnFBPDp/F/S6dO2jY2NjRsbGxo0bGxo2Na21rWtra2tG1taNRsNRsNRsNhsNhsNhsNRsNNmmzTTTa2t" +
      "Gja2tGo2GhsNRsNhobDUbDYajYbNmmmmmmjRtbWjRq0NhqNhoajUajYaGo1GhsNNNmmmmz3a0eVtaNrRsNhqNhsNhsNRsNhqNhsNhppppps2" +
      "bWja2tG1o2Gw1Gw2Gw2Go2Gw2Gw1Gw02abNNNNra0aNra0ajYaGo1Gw2GhqNRobDUbDZppps000atGjVo0ajUaGo1GhoaGo1GhsNRqNmmmmz" +
      "TTRo2trRo1aGw1Gw0NRqNRsNhqNRobDTTTTTZs9PL8Ye344fyfyPTw+v126cMvLpzTppy+Or08Pj8dPrhl4dNOm3D66Pbw+Px06csPDtt004" +
      "fHR6eXx+u3Thh5dNO2nD46vTw+vx06cMvDpp025fHR6eHx+Onblh4dtumnD66Pby+Px06cMjyOjR2NHI+HUejwfR+jsdjgyPB2NHRscj6Oo9" +
      "jwfD8OjscjI8HY2OjY4Po6HseR9H6Ox0cjB5HY2Oxo4Ph1Ho8j6P0djo4OZHI6NHY2OR8Oo9Hg+j8OjscjI8HY2OjY5H0dD2PI+H4dHY5GDy" +
      "OxsdjRwfR0PY8j6P0djo4MHg7Gx0bHB9HQ9jyPo/R2OjkYPI6NjsaOD4dR6PI+j9HY7HBkeR0aOxscj6Oo9Hg+H4dHY5GR4OxsdGxyPo6Hse" +
      "R8Pw7HRyMHkdjY7Gjg+jsPY8j6P0djo4MjyOjR2NHI58Oo9Hg+j2Ox2ODI8HY0dGxyPo6j2PB8Pw6OxyMeXWu2uPnZ68fPzrrjLx1rrXLnzp" +
      "68fPXXXGPHbXWuPnT28fPzrrjHjrXWuPnT14+v111xjx1rrXHzs9ePn5124x4611rj66evHz8665Y8dbda4+dPXl8/O3XH7+IqSf9RUk8CFs" +
      "hMCFikEwIXCqpwQuoJ4AHghcoJOCF5QTwA8ELygm5VRLQqSYRUk8xUkzFST7FSTMVJMipJoVJMDrgKSaRUk7xUk/RUk3xUk/i7kinChIJ+gV" +
      "8QA=",
  ],
  ["bzip2", "zeros", "bzip2", "QlpoOTFBWSZTWXnTnkgAB6jAQMAAAAIACCAAMMwJqmmVJDapSQ8XckU4UJB5055I"],
  [
    "bzip2",
    "noises",
    "bzip2",
    "QlpoOTFBWSZTWVxoI98AABX//5eOEBAipgCMSQAvUbxdJIOgZUaEGCmHCMEKhQTBIVqpoACUCVKAE0wBGhgAAJkNGhg0aGgyaBmoNSgAZDTQ" +
      "MRoaBkA00aaGjIAAADdliA9Hg+ptkGAwCaAiAkmp80LGEXA9LxXqSkzFzAbAvAbaYLgx4HSp+3kIroLagWGsjOe99BB6scleP4rmQhcFtM1B" +
      "q3sAsCikWwGZbWC1wQqHNrj13BwloGUwF+QWQcJlMtNA329G20qYgSnuLuSKcKEguNBHvg==",
  ],
];

export const VECTORS: readonly Vector[] = ROWS.map(([compression, content, command, base64]) => ({
  compression,
  command: `${command} of ${content}`,
  content: CONTENTS[content],
  file: Buffer.from(base64, "base64"),
}));

/** The file that the command made. */
export function vector(command: string): Vector {
  const found = VECTORS.find(row => row.command === command);
  if (found === undefined) throw new Error(`no vector was made with ${command}`);
  return found;
}
