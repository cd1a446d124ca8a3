// The measured functions, for pybind11.
#include <pybind11/pybind11.h>

namespace py = pybind11;

struct Point {
    long x = 1, y = 2;
    long sum() const
    {
        return x + y;
    }
};

PYBIND11_MODULE(rival, m)
{
    m.def("no_argument", [] {});
    m.def("one_object", [](py::object object) { return object; });
    m.def("two_longs", [](long a, long b) { return a + b; });
    py::class_<Point>(m, "Point").def(py::init<>()).def("sum", &Point::sum);
}
