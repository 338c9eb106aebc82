// Made with GNU tar 1.34 (--sparse --sort=name --mtime=@0, formats "gnu" and "posix") and gzip: a folder "srv" with a file,
// a hard link and a symbolic link to it, a set-uid file, a set-gid folder, a device, a pipe, whiteouts, a path of 247
// characters, and a sparse file of 8 MiB with seven pieces.
export const GNU_LAYER: string = [
  "H4sIAAAAAAACA+3dT26bQByGYbrNKTgBzP/Z9gDe5QQoRrFlChTbbY9f4rhpazARixnb4v2kR1gJMpE+/YbJarI8CR7Rx1t7uva5vI589s6qJL",
  "VJhBz3h6JL06RrmsPUfZ/9/kGT5fvuR35n/UthnKH/eP1nPzfZm7aqd2H6d8bM6F9Z5ZNU0H/E/ptqHXD+5/UvnXH0H6//om0Dr//n/qW38nxV",
  "/3TuLt//RorI/S80m7KqmqeELDTv8/9SvGzKPOD8K+/n7P+k1Zr9X+z+/+wCs6b9ftv3v7ZC8/6P2P+x68r6EG7+hfd+1v7fyyRVYbcl9P/R/3",
  "q734V7xvT8+2H/Sr3dnj4vYv6HUyA/Ppvxn8sr98ux+7/8/R4x/m6+8m3qytP1lfvN2CyT+866OBQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
  "AAAAAAAAAAAAAAAAAAAAAGBalmf511VTv6629e4m53+eDqAcnP/sdZKuOP830vmv9Y2ScwDnAvo/nfJrZ5z/ro3TgvPf4/R/+/Vf+8H67wTr/x",
  "LW/1s9mIU/8vo/Nf9CyMH6r2SSCuY/eH4xAsx/Xh+rKtwzPp//y/e/ctIlqX6k+f9/IdOP1X+7rV+D9m+m9//ucv+njWf9j5FNWVXNE+vgstf/",
  "dtuW97T+9/Pf///vmP9I/e+Lb3H6l97K81VN9a9U3798/+OKto3QPyGEEEIIIYQQQgghhBBCCCGEEEIIIYQQQgghD5Df2wOPPgDIAAA=",
].join("");

/** The same tar as GNU_LAYER, with zstd -19. */
export const ZSTD_LAYER: string = [
  "KLUv/WQAx9UMAJIOKhiAzQMAAGBBgIAQJRAUOAjZRJJ92s0BZVPczQcjoejvqEr1xxwdoUp9b23k2OzmlCpudvGfe9HfNjo85N6FKgNCm0ForD",
  "EZScNfO8AdO+8usbp/gRSjVtlr+WH/f0SP55GK5+BzasPeg/C/25EUstigmfNIHPu72Ayfd3drldEjrzEbt/Ybtntc6KwsoZhHd7xteqDGNmqa",
  "Z9d6ZARJC9c2jO8WwnfbWGKggNCMTVNYDsBQRCSFTeX9SR/PVahAKWkLYFk7QNExyLQZVROwzVxPHjDgkAqyAYmqgtwAiQ7oZHpVKJlJVikUel",
  "uTLtAp/QpD6o8NCKoya1VXN65eedMbp+bN+QOaQlmpOIDIyDBAOn1QQ0kzWzXAbn4An+OCmJL/7vc7cbXn06v6QKyJtObnVrW4Kdlbu0z5Kk54",
  "z78EoWy5J2r5aYytLk1AJ6ehcj/pBNFrAMI0bUCk3oCZHmF+gAawR40uNey0JKzYcvVPTlvFle6a1VabzMcar1VpqvYA0SWTPkNxrMG2BGnKU9",
  "RxAwDvkzoBao2qIw==",
].join("");

export const POSIX_LAYER: string = [
  "H4sIAAAAAAACA+2d3W7iRhiGfcxVcAVkvvm1D3La7lFVqeoFWIlV6DrgBdJGvfqany2sccmywT+Y55UeGXsQTjR+388ztjSTh1/Tt09Z+pwtVw",
  "+TqBGpUt7a7bZUdatUsIfPm+OijIRo/Ba1oNfVOl2Wp4/uU0aN0/XsJXuUkLgkKGNk4pX3WitJRmXrU7XVhHjbakYRunlNHpo/x9bizv2//6uf",
  "RcTpaOza9P9ysVif+9577dV/7mb6/yj/V8u/epL/oTxE/vcy/12i9q2k5xDyvzR9wzXgB/I/eEv+t9f/x2OAv6eTDUU+/9xZ/hvRnvzvKv9tOf",
  "xyYqypzf9DK+k5lPxvwPSX+P8k/63S5fhftel/8v+Q/4v8udv7f62tI//Jf9Re/l/Z9B/KfyPWk/+d5H9aFN3P/4hzzP/0dP7HK838z8DyvwHT",
  "1/tfgpP9Vh953p/M/4pqOf+v8U/eYP5Pszxf4OQ79/9R/X9Kn6ZZ1/VfK8Pz/57Wf8Z/w/P/1vSNPQUqPa1DuOT5jymvNJ7/tN3/NU+BJoviSw",
  "f5b0Vp8r+r/Gf+7z7z/6qmv8T/J/nvlDLM/3Vz//+6XGbzdcf3/9bx/L+n9/8m1rz/O7T8v77pK/4PIVz0/D9INNbNTkuS/3X5/zxbfW6g/8/l",
  "/+Zhf/X9P97/akdaj3/+5ffJqkiXq2zykv65WD7KqHJ0Ni+Pqk01ODo6T8u6sLt8NtfMyMhx6zJL89Xsn+wxNnHsVTz6kReNbXDaxjGFpmn/lx",
  "3327bffprl2UQHcfqKQXDe/0Fq7v+Ddtz/t6F4pEZWJX4kysYu+N2OVsnmGtjtGLFlf8S7HSuJNcrudkp36jje/4DXSfnF/Q98db3Cu/3Wc7pO",
  "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAOA8J+v/zq+v99b/Naqy/q/RQWvW/21DYsK4SN",
  "fT/Uq+8470UL8+sIiV4JytXR/YitquHmxZY/Sj6/8227nbVX6d+/71340Xo6KxY/3fwfT/ufy3oZr/Rpcb8r+N9d9dP/K/qxPfe93pg/+VkpP8",
  "18L6723oLULc/x2P/17z/MrneNf/wX7rf5FgPfW/DdWVP5PsCpypLX+HVtwzmPp/fdNf4v/qZ9Helf43t1f/v97ImNvq/6P8L2bzP3qQ/0bI/6",
  "7y/53hjzLixFjyfzj534Dpv/W/PT//50/y3wbGf21omuX5Aicz/jvU/yKj/t/3+C/258Z//7XinuHU/6ub/oPjP6uisaf+t5//q/SlD/mvyf/u",
  "xn9ql/BJbf57pfetpOdQ8r8B09f7X4KT/Vafy3+ny/yX3R+XFsUN+P9G8x8hhBBCCCGEEEIIIYQQQgghhNAw9C8eJCWPAPAAAA==",
].join("");
