// The geometry of a convolution as one kernel argument, and the names of its parts. N images, C channels of H x W, K output channels of P x Q, an R x S
// window. Strides of tensors are long4: image, channel, row, column; of a weight: output channel, channel, row, column.
typedef int16 conv_geometry;
#define GEOMETRY(g)                                                                                                                       \
  const int N = g.s0, C = g.s1, H = g.s2, W = g.s3, K = g.s4, R = g.s5, S = g.s6, P = g.s7, Q = g.s8, groups = g.s9, stride_h = g.sa, \
            stride_w = g.sb, pad_h = g.sc, pad_w = g.sd, dilation_h = g.se, dilation_w = g.sf
