// The border's tools: onc_error, and the one place where an exception becomes one. Used by backend.cpp only.
#pragma once

#include <exception>
#include <memory>
#include <new>
#include <string>

#include "kit/error.hpp"
#include "oncilla/oncilla.h"

struct onc_error {
  uint32_t code;
  std::string message;
};

namespace oncilla::kit {

// Never NULL and never throws: without memory for a message it is a static object that says so.
onc_error* new_error(uint32_t code, const char* message) noexcept;
void free_error(onc_error* error) noexcept;

// The slot that is being called, for messages.
struct SlotName {
  const char* name;

  template <class... Args>
  void holds(bool condition, const Args&... message) const {
    require(condition, "[", name, "] ", message...);
  }
  void given(const void* parameter, const char* what) const { holds(parameter != nullptr, what, " is NULL"); }

  // Hands an object over to the host.
  template <class T>
  T* made(std::unique_ptr<T> object) const {
    if (object == nullptr) throw Error(ONC_INTERNAL, cat("[", name, "] the plugin gave nothing and no reason"));
    return object.release();
  }
};

// Runs a slot's body; whatever it throws is returned.
template <class Body>
onc_error* guarded(const char* slot, Body&& body) noexcept {
  try {
    try {
      body(SlotName{slot});
      return nullptr;
    } catch (const Error& e) {
      return new_error(e.code() != ONC_OK ? e.code() : static_cast<uint32_t>(ONC_INTERNAL), e.what());
    } catch (const std::bad_alloc&) {
      return new_error(ONC_OUT_OF_MEMORY, cat("[", slot, "] no host memory").c_str());
    } catch (const std::exception& e) {
      return new_error(ONC_INTERNAL, cat("[", slot, "] ", e.what()).c_str());
    } catch (...) {
      return new_error(ONC_INTERNAL, cat("[", slot, "] the plugin threw something that is no std::exception").c_str());
    }
  } catch (...) {
    return new_error(ONC_OUT_OF_MEMORY, nullptr);  // there was no memory for the message either
  }
}

}  // namespace oncilla::kit
