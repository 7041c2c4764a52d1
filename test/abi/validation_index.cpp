// The kit refuses what scans, sorts and indexed ops cannot mean.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

Descriptor scan() {
  D d(ONC_OP_SCAN);
  d.attrs<onc_scan_attrs>().axis = 1;
  d.in = {T(ONC_F32, {3, 5})};
  d.out = {T(ONC_F32, {3, 5}), std::nullopt};
  return d;
}

Descriptor sort() {
  D d(ONC_OP_SORT);
  d.attrs<onc_sort_attrs>().axis = 1;
  d.in = {T(ONC_I16, {3, 5})};
  d.out = {T(ONC_I16, {3, 5}), T(ONC_I64, {3, 5})};
  return d;
}

Descriptor top_k() {
  D d = sort();
  d.op = ONC_OP_TOP_K;
  d.out = {T(ONC_I16, {3, 2}), T(ONC_I64, {3, 2})};
  return d;
}

Descriptor compact() {
  D d(ONC_OP_COMPACT);
  d.in = {T(ONC_BOOL, {9})};
  d.out = {T(ONC_I64, {9}), T(ONC_I64, {})};
  return d;
}

Descriptor search() {
  D d(ONC_OP_SEARCH_SORTED);
  d.attrs<onc_search_sorted_attrs>().right = 1;
  d.in = {T(ONC_F64, {3, 5}), T(ONC_F64, {3, 7}), std::nullopt};
  d.out = {T(ONC_I64, {3, 7})};
  return d;
}

Descriptor scatter() {
  D d(ONC_OP_SCATTER);
  d.attrs<onc_scatter_attrs>().reduce = ONC_SCATTER_SUM;
  d.in = {T(ONC_F16, {4, 5}), T(ONC_I64, {9, 3}), T(ONC_F16, {9, 3})};
  d.out = {T(ONC_F16, {4, 5})};
  return d;
}

Descriptor bag() {
  D d(ONC_OP_EMBEDDING_BAG);
  d.attrs<onc_embedding_bag_attrs>().padding_index = -1;
  d.in = {T(ONC_F32, {6, 5}), T(ONC_I64, {11}), T(ONC_I64, {3}), std::nullopt};
  d.out = {T(ONC_F32, {3, 5}), T(ONC_I64, {3}), std::nullopt};
  return d;
}

}  // namespace

TEST_CASE("scans and sorts") {
  check_bad_cases({
      {"axis", scan, [](D& d) { d.attrs<onc_scan_attrs>().axis = 2; }, "[scan] axis 2 is not below the rank of x float32[3, 5]"},
      {"kind", scan, [](D& d) { d.attrs<onc_scan_attrs>().kind = 5; }, "[scan] kind 5 is not sum"},
      {"reverse", scan, [](D& d) { d.attrs<onc_scan_attrs>().reverse = 2; }, "[scan] reverse is 2"},
      {"index of a sum", scan,
       [](D& d) {
         d.out[1] = T(ONC_I64, {3, 5});
       },
       "[scan] index is given, but kind 0"},
      {"exclusive", scan,
       [](D& d) {
         d.attrs<onc_scan_attrs>().kind = ONC_SCAN_MAX;
         d.attrs<onc_scan_attrs>().exclusive = 1;
       },
       "[scan] exclusive with kind 3"},
      {"bool", scan,
       [](D& d) {
         d.in[0]->dtype = ONC_BOOL;
         d.out[0]->dtype = ONC_BOOL;
       },
       "[scan] x is bool"},
      {"sizes", scan,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {3, 4});
       },
       "[scan] y has sizes [3, 4], not [3, 5]"},
      {"sort without outputs", sort,
       [](D& d) {
         d.out = {std::nullopt, std::nullopt};
       },
       "[sort] all outputs are absent"},
      {"sort dtype", sort, [](D& d) { d.out[1]->dtype = ONC_I32; }, "[sort] index is int32, not int64"},
      {"descending", sort, [](D& d) { d.attrs<onc_sort_attrs>().descending = 7; }, "[sort] descending is 7"},
      {"k", top_k,
       [](D& d) {
         *d.out[0] = T(ONC_I16, {3, 6});
         *d.out[1] = T(ONC_I64, {3, 6});
       },
       "[top_k] k is 6, above the 5 elements along axis 1"},
      {"unlike k", top_k,
       [](D& d) {
         *d.out[1] = T(ONC_I64, {3, 1});
       },
       "[top_k] index has sizes [3, 1], not [3, 2]"},
  });
}

TEST_CASE("indexed ops") {
  check_bad_cases({
      {"mask", compact, [](D& d) { d.in[0]->dtype = ONC_U8; }, "[compact] mask is uint8, not bool"},
      {"count", compact, [](D& d) { *d.out[1] = T(ONC_I64, {1}); }, "[compact] count has sizes [1], not []"},
      {"rows", search,
       [](D& d) {
         *d.in[0] = T(ONC_F64, {2, 5});
       },
       "[search_sorted] sorted float64[2, 5] and values"},
      {"unlike dtypes", search, [](D& d) { d.in[1]->dtype = ONC_F32; }, "[search_sorted] values is float32, not float64"},
      {"sorter", search,
       [](D& d) {
         d.in[2] = T(ONC_I64, {3, 7});
       },
       "[search_sorted] sorter has sizes [3, 7], not [3, 5]"},
      {"index dtype", scatter, [](D& d) { d.in[1]->dtype = ONC_I32; }, "[scatter] index is int32, not int64"},
      {"index sizes", scatter,
       [](D& d) {
         *d.in[1] = T(ONC_I64, {9, 6});
         *d.in[2] = T(ONC_F16, {9, 6});
       },
       "[scatter] index has size 6 in dim 1, above the 5 of y"},
      {"src", scatter,
       [](D& d) {
         *d.in[2] = T(ONC_F16, {9, 2});
       },
       "[scatter] src has sizes [9, 2], not [9, 3]"},
      {"reduce", scatter, [](D& d) { d.attrs<onc_scatter_attrs>().reduce = 6; }, "[scatter] reduce 6 is not assign"},
      {"mean of bool", scatter,
       [](D& d) {
         for (auto* t : {&d.in[0], &d.in[2], &d.out[0]}) (*t)->dtype = ONC_BOOL;
         d.attrs<onc_scatter_attrs>().reduce = ONC_SCATTER_MEAN;
       },
       "[scatter] a mean (3) of bool"},
      {"axis", scatter, [](D& d) { d.attrs<onc_scatter_attrs>().axis = 9; }, "[scatter] axis 9 is not below the rank"},
      {"weights of a mean", bag,
       [](D& d) {
         d.in[3] = T(ONC_F32, {11});
         d.attrs<onc_embedding_bag_attrs>().mode = ONC_BAG_MEAN;
       },
       "[embedding_bag] per_sample_weight with mode 1"},
      {"max_index of a sum", bag,
       [](D& d) {
         d.out[2] = T(ONC_I64, {3, 5});
       },
       "[embedding_bag] max_index with mode 0"},
      {"padding", bag, [](D& d) { d.attrs<onc_embedding_bag_attrs>().padding_index = -2; }, "padding_index -2 is below -1"},
      {"bags", bag,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 5});
       },
       "[embedding_bag] y has sizes [2, 5], not [3, 5]"},
  });
}
